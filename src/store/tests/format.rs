//! The file format against changed, cut and hostile files.

use std::io::Write;

use anyhow::{Context, Result, ensure};
use proptest::prelude::{any, prop_assert_eq, proptest};
use proptest::test_runner::TestCaseError;

use crate::base::hash;
use crate::base::id::ObjectId;
use crate::store::format::{self, Content, Encoding, Flaw, HEADER_BYTES, Header};
use crate::store::manifest::{Manifest, Part};
use crate::store::tests::{MIB, noise, table};

/// The decoded bytes; a manifest counts as a flaw.
fn decode(id: &ObjectId, file: &[u8]) -> Result<Vec<u8>, Flaw> {
    match format::decode(id, file.to_vec())? {
        Content::Bytes(bytes) => Ok(bytes),
        Content::Manifest(_) => Err(Flaw("a manifest".to_owned())),
    }
}

fn encoding(file: &[u8]) -> Result<Encoding> {
    Ok(Header::parse(file, file.len() as u64).ok().context("no header")?.encoding)
}

/// A file whose header says what the test wants.
fn file(encoding: Encoding, bytes: u64, payload: &[u8]) -> Vec<u8> {
    let header = Header { encoding, bytes, payload_bytes: payload.len() as u64 };
    [header.to_bytes().as_slice(), payload].concat()
}

fn manifest() -> Manifest {
    let part = |seed: u64, bytes: u32| Part { id: hash::hash(&seed.to_le_bytes()), bytes };
    Manifest { parts: vec![part(1, 4 << 20), part(2, 1), part(3, 700_000)], bytes: (4 << 20) + 700_001 }
}

#[test]
fn compresses_only_what_pays() -> Result<()> {
    for (bytes, expected) in [
        (Vec::new(), Encoding::Raw),
        (b"abc".to_vec(), Encoding::Raw),
        (table(1, 5000), Encoding::Zstd),
        (table(1, MIB), Encoding::Zstd),
        (vec![0; 4 * MIB], Encoding::Zstd),
        (noise(1, 5000), Encoding::Raw),
        (noise(1, 4 * MIB), Encoding::Raw),
    ] {
        let encoded = format::encode(&bytes);
        ensure!(encoding(&encoded)? == expected, "{} bytes", bytes.len());
        ensure!(encoded.len() <= HEADER_BYTES + bytes.len());
        ensure!(decode(&hash::hash(&bytes), &encoded) == Ok(bytes));
    }
    Ok(())
}

/// One file of each kind, as first released: it has to be read for ever.
#[test]
fn files_of_format_one_are_read() -> Result<()> {
    let raw = b"mlobj\x01\x00\x00\x03\0\0\0\0\0\0\0\x03\0\0\0\0\0\0\0abc";
    let abc: ObjectId = "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85".parse()?;
    ensure!(decode(&abc, raw) == Ok(b"abc".to_vec()) && format::encode(b"abc") == raw);
    // 64 times `a`, by zstd 1.5.7 at level 1.
    let frame = [40, 181, 47, 253, 32, 64, 69, 0, 0, 16, 97, 97, 1, 0, 147, 0, 22];
    ensure!(decode(&hash::hash(&[b'a'; 64]), &file(Encoding::Zstd, 64, &frame)) == Ok(vec![b'a'; 64]));
    let blob = hash::hash(b"blob");
    let sealed = manifest().encode(&blob);
    ensure!(sealed.len() == 24 + 3 * 36 + 32 && sealed[24..56] == *manifest().parts[0].id.as_bytes());
    let found = format::decode(&blob, sealed);
    ensure!(matches!(&found, Ok(Content::Manifest(found)) if *found == manifest()), "{found:?}");
    Ok(())
}

#[test]
fn every_bit_of_a_file_counts() -> Result<()> {
    for bytes in [Vec::new(), b"a few raw bytes".to_vec(), table(3, 400), noise(3, 300)] {
        let id = hash::hash(&bytes);
        let good = format::encode(&bytes);
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            let found = decode(&id, &bad);
            ensure!(found.is_err() || found == Ok(bytes.clone()), "bit {bit} gives other bytes");
            // Only zstd has bits without meaning.
            ensure!(found.is_err() || encoding(&good)? == Encoding::Zstd, "bit {bit} is not noticed");
        }
        for end in 0..good.len() {
            ensure!(decode(&id, &good[..end]).is_err(), "cut at {end}");
        }
        ensure!(decode(&id, &[good.as_slice(), b"x"].concat()).is_err());
        ensure!(decode(&hash::hash(b"another name"), &good).is_err());
    }
    Ok(())
}

#[test]
fn every_bit_of_a_manifest_counts() -> Result<()> {
    let id = hash::hash(b"blob");
    let good = manifest().encode(&id);
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        ensure!(format::decode(&id, bad).is_err(), "bit {bit} is not noticed");
    }
    for end in 0..good.len() {
        ensure!(format::decode(&id, good[..end].to_vec()).is_err(), "cut at {end}");
    }
    ensure!(format::decode(&hash::hash(b"another name"), good).is_err());
    Ok(())
}

/// Files made by somebody who knows the format, seals included.
#[test]
fn hostile_files_are_flawed() -> Result<()> {
    let id = hash::hash(b"blob");
    let refuse = |what: &str, bad: Vec<u8>| match format::decode(&id, bad) {
        Ok(_) => anyhow::bail!("{what} was accepted"),
        Err(Flaw(why)) if why.is_empty() => anyhow::bail!("{what} was refused without a word"),
        Err(_) => Ok(()),
    };
    let mut bomb = zstd::Encoder::new(Vec::new(), 1)?;
    for _ in 0..256 {
        bomb.write_all(&vec![0; MIB])?;
    }
    let bomb = bomb.finish()?;
    refuse("a bomb said to be small", file(Encoding::Zstd, 4 << 20, &bomb))?;
    refuse("a bomb said to be large", file(Encoding::Zstd, 256 << 20, &bomb))?;
    refuse("a length near the end of u64", file(Encoding::Raw, u64::MAX, b""))?;
    refuse("a raw object beyond the threshold", file(Encoding::Raw, (4 << 20) + 1, &vec![0; 4 * MIB + 1]))?;
    refuse("a zstd payload longer than its bytes", file(Encoding::Zstd, 1, &zstd::bulk::compress(b"a", 1)?))?;
    refuse("a manifest without seal", file(Encoding::Manifest, 5 << 20, b"short"))?;
    let sealed = |change: fn(&mut Manifest)| {
        let mut manifest = manifest();
        change(&mut manifest);
        manifest.encode(&id)
    };
    refuse("a small manifest", sealed(|m| *m = Manifest { parts: m.parts[1..2].to_vec(), bytes: 1 }))?;
    refuse("chunks that do not add up", sealed(|m| m.bytes += 1))?;
    refuse("an endless blob", sealed(|m| m.bytes = u64::MAX))?;
    refuse("an empty chunk", sealed(|m| m.parts.push(Part { bytes: 0, ..m.parts[0] })))?;
    refuse("a chunk beyond the largest", {
        sealed(|m| {
            m.parts[0].bytes += 1;
            m.bytes += 1;
        })
    })?;
    Ok(())
}

proptest! {
    #[test]
    fn whatever_is_encoded_comes_back(seed in any::<u64>(), length in 0_usize..200_000, noisy in any::<bool>()) {
        let bytes = if noisy { noise(seed, length) } else { table(seed, length) };
        prop_assert_eq!(decode(&hash::hash(&bytes), &format::encode(&bytes)), Ok(bytes));
    }

    #[test]
    fn mutated_files_never_give_other_bytes(
        seed in any::<u64>(),
        length in 0_usize..20_000,
        changes in proptest::collection::vec((any::<u16>(), any::<u8>(), 0_u8..4), 1..6),
    ) {
        let bytes = table(seed, length);
        let mut bad = format::encode(&bytes);
        for (place, byte, kind) in changes {
            let at = usize::from(place) % bad.len().max(1);
            match kind {
                0 => bad.truncate(at),
                1 => bad.insert(at.min(bad.len()), byte),
                2 => bad.extend_from_slice(&[byte; 9]),
                _ => bad.iter_mut().skip(at).take(3).for_each(|old| *old = old.wrapping_add(byte)),
            }
        }
        if let Ok(found) = decode(&hash::hash(&bytes), &bad) {
            prop_assert_eq!(found, bytes);
        }
    }

    #[test]
    fn anything_at_all_is_read_without_panic(mut file in proptest::collection::vec(any::<u8>(), 0..400), kind in 0_u8..4) {
        // With a true header in most cases, so that the payload is reached.
        if file.len() >= HEADER_BYTES && kind < 3 {
            let payload = (file.len() - HEADER_BYTES) as u64;
            file[..8].copy_from_slice(&[b'm', b'l', b'o', b'b', b'j', 1, kind, 0]);
            file[16..24].copy_from_slice(&payload.to_le_bytes());
            file[10..16].fill(0);
        }
        let found = decode(&hash::hash(b"none of these"), &file);
        found.err().map(|_| ()).ok_or_else(|| TestCaseError::fail("noise was accepted"))?;
    }
}
