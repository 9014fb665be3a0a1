//! Hashes of files and folders.

use std::cell::RefCell;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::base::hash;
use crate::base::id::ObjectId;
use crate::pipeline::inputs::{FileHashes, ReadAlways, hash_input};

fn write(root: &Path, path: &str, text: &str) -> Result<()> {
    let path = root.join(path);
    fs::create_dir_all(path.parent().expect("below the root"))?;
    fs::write(path, text)?;
    Ok(())
}

fn folder_of(files: &[(&str, &str)]) -> Result<tempfile::TempDir> {
    let root = tempfile::tempdir()?;
    files.iter().try_for_each(|(path, text)| write(root.path(), path, text))?;
    Ok(root)
}

fn id(root: &Path, path: &str) -> Result<Option<ObjectId>> {
    hash_input(root, Path::new(path), &ReadAlways)
}

const FILES: [(&str, &str); 3] = [("src/a.py", "one"), ("src/lib/b.py", "two"), ("src/lib.txt", "three")];

#[test]
fn a_file_has_the_hash_of_its_bytes() -> Result<()> {
    let root = folder_of(&[("a.csv", "x,y\n")])?;
    assert_eq!(id(root.path(), "a.csv")?, Some(hash::hash(b"x,y\n")));
    assert_eq!(id(root.path(), "b.csv")?, None);
    assert_eq!(id(root.path(), "a.csv/b")?, None);
    symlink("a.csv", root.path().join("latest.csv"))?;
    assert_eq!(id(root.path(), "latest.csv")?, Some(hash::hash(b"x,y\n")), "the input itself is followed");
    Ok(())
}

#[test]
fn equal_folders_have_equal_hashes_wherever_they_are() -> Result<()> {
    let (one, other) = (folder_of(&FILES)?, tempfile::tempdir()?);
    for (path, text) in FILES.iter().rev() {
        write(other.path(), &path.replace("src", "code"), text)?;
    }
    fs::create_dir(other.path().join("code/empty"))?;
    for derived in ["code/.git/HEAD", "code/lib/__pycache__/b.pyc", "code/.mlops/format"] {
        write(other.path(), derived, "derived")?;
    }
    assert_eq!(id(one.path(), "src")?, id(other.path(), "code")?);
    Ok(())
}

#[test]
fn everything_in_a_folder_changes_its_hash() -> Result<()> {
    let mut seen = Vec::new();
    let mut with = |change: &dyn Fn(&Path) -> Result<()>| -> Result<()> {
        let root = folder_of(&FILES)?;
        change(&root.path().join("src"))?;
        seen.extend(id(root.path(), "src")?);
        Ok(())
    };
    with(&|_| Ok(()))?;
    with(&|src| write(src, "a.py", "ONE"))?;
    with(&|src| write(src, "c.py", ""))?;
    with(&|src| Ok(fs::remove_file(src.join("a.py"))?))?;
    with(&|src| Ok(fs::rename(src.join("a.py"), src.join("z.py"))?))?;
    with(&|src| Ok(fs::rename(src.join("lib/b.py"), src.join("b.py"))?))?;
    with(&|src| Ok(fs::set_permissions(src.join("a.py"), fs::Permissions::from_mode(0o755))?))?;
    with(&|src| Ok(symlink("a.py", src.join("link"))?))?;
    with(&|src| Ok(symlink("lib.txt", src.join("link"))?))?;
    with(&|src| Ok(symlink("nowhere", src.join("link"))?))?;
    with(&|src| Ok(symlink(".", src.join("link"))?))?;
    with(&|src| {
        symlink("a.py", src.join("link"))?;
        write(src, "a.py", "ONE")
    })?;
    assert_eq!(seen.len(), 12);
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 12, "all differ");
    Ok(())
}

#[test]
fn a_linked_file_counts_by_its_bytes_too() -> Result<()> {
    let root = folder_of(&[("real/d.csv", "1"), ("data/other.csv", "2")])?;
    symlink("../real/d.csv", root.path().join("data/d.csv"))?;
    let before = id(root.path(), "data")?;
    write(root.path(), "real/d.csv", "3")?;
    assert_ne!(before, id(root.path(), "data")?);
    Ok(())
}

#[test]
fn the_lock_file_is_no_part_of_the_project_folder() -> Result<()> {
    let root = folder_of(&[("a.py", "1"), ("mlops.lock", "1"), ("sub/mlops.lock", "1")])?;
    let before = id(root.path(), "")?;
    write(root.path(), "mlops.lock", "2")?;
    assert_eq!(before, id(root.path(), "")?);
    write(root.path(), "sub/mlops.lock", "2")?;
    assert_ne!(before, id(root.path(), "")?);
    Ok(())
}

#[test]
fn sockets_and_their_like_are_refused_and_not_waited_for() -> Result<()> {
    let root = folder_of(&[("src/a.py", "1")])?;
    let _socket = UnixListener::bind(root.path().join("src/door"))?;
    for path in ["src", "src/door"] {
        let error = id(root.path(), path).expect_err("a socket").to_string();
        assert!(error.contains("src/door is neither a file nor a folder"), "{error}");
    }
    Ok(())
}

/// Remembers what it was asked and answers without reading.
struct Asked(RefCell<Vec<PathBuf>>);

impl FileHashes for Asked {
    fn file(&self, path: &Path) -> Result<ObjectId> {
        self.0.borrow_mut().push(path.to_owned());
        Ok(hash::hash(b"known"))
    }
}

#[test]
fn files_are_read_only_through_what_is_handed_in() -> Result<()> {
    let root = folder_of(&FILES)?;
    let asked = Asked(RefCell::default());
    let known = hash_input(root.path(), Path::new("src"), &asked)?;
    assert_ne!(known, id(root.path(), "src")?);
    let asked: Vec<_> = asked
        .0
        .borrow()
        .iter()
        .map(|path| path.strip_prefix(root.path()).map(Path::to_owned))
        .collect::<Result<_, _>>()?;
    assert_eq!(asked, ["src/a.py", "src/lib.txt", "src/lib/b.py"].map(PathBuf::from));
    Ok(())
}
