//! Damaged and hostile files: an error, or a model that answers; never a panic, never memory out of proportion.

use anyhow::Result;
use proptest::prelude::{ProptestConfig, any, prop};
use proptest::proptest;

use crate::exchange::tests::{asked, fixture, read, reference};

const FILES: [&str; 6] = [
    "lightgbm_regression.txt",
    "lightgbm_multiclass.txt",
    "lightgbm_forest.txt",
    "xgboost_regression.json",
    "xgboost_multiclass.json",
    "three_binary.json",
];

/// What is accepted answers every row.
fn survives(name: &str, bytes: &[u8]) -> Result<bool> {
    let Ok(model) = read(name, bytes) else { return Ok(false) };
    if model.features.len() > 100 {
        return Ok(true);
    }
    let (mut rows, _) = reference()?;
    rows.truncate(12);
    rows.push(vec![None; 4]);
    rows.push(vec![Some(1e308); 4]);
    rows.push(vec![Some(-1e308); 4]);
    let matrix = asked(&model, &rows)?;
    let predictions = model.predictor.predict(&matrix)?;
    assert_eq!(predictions.rows(), rows.len());
    Ok(true)
}

#[test]
fn the_files_themselves_are_read() -> Result<()> {
    for name in FILES {
        assert!(survives(name, &fixture(name)?)?, "{name}");
    }
    Ok(())
}

/// Words that change what a file claims.
const WORDS: [&str; 16] = [
    "0",
    "1",
    "-1",
    "2",
    "7",
    "-3",
    "64",
    "4000000000",
    "1e308",
    "-1e308",
    "NaN",
    "Infinity",
    "-9223372036854775808",
    "null",
    "\"5E-1\"",
    "4194240",
];

/// Numbers of a text: where they begin and end.
fn numbers(text: &str) -> Vec<(usize, usize)> {
    let is_part = |letter: u8| letter.is_ascii_digit() || b"+-.eE".contains(&letter);
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut place = 0;
    while place < bytes.len() {
        let end =
            bytes[place..].iter().position(|letter| !is_part(*letter)).map_or(bytes.len(), |length| place + length);
        if end > place && bytes[place..end].iter().any(u8::is_ascii_digit) {
            found.push((place, end));
        }
        place = end.max(place + 1);
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_bytes_never_panic(file in 0..FILES.len(), places in prop::collection::vec((any::<usize>(), any::<u8>()), 1..6), cut in any::<bool>()) {
        let mut bytes = fixture(FILES[file]).expect("the fixture is there");
        for (place, byte) in &places {
            let place = place % bytes.len();
            bytes[place] = *byte;
        }
        if cut {
            bytes.truncate(places[0].0 % bytes.len());
        }
        survives(FILES[file], &bytes).expect("what is accepted answers");
    }

    #[test]
    fn changed_numbers_never_panic(file in 0..FILES.len(), changes in prop::collection::vec((any::<usize>(), 0..WORDS.len()), 1..4)) {
        let mut text = String::from_utf8(fixture(FILES[file]).expect("the fixture is there")).expect("text");
        for (place, word) in changes {
            let places = numbers(&text);
            let (begin, end) = places[place % places.len()];
            text.replace_range(begin..end, WORDS[word]);
        }
        survives(FILES[file], text.as_bytes()).expect("what is accepted answers");
    }

    #[test]
    fn lines_in_other_places_never_panic(from in any::<usize>(), to in any::<usize>(), drop in any::<bool>()) {
        let text = String::from_utf8(fixture(FILES[0]).expect("the fixture is there")).expect("text");
        let mut lines: Vec<&str> = text.lines().collect();
        let line = lines.remove(from % lines.len());
        if !drop {
            let place = to % lines.len();
            lines.insert(place, line);
        }
        survives(FILES[0], lines.join("\n").as_bytes()).expect("what is accepted answers");
    }
}

#[test]
fn sets_take_no_more_room_than_the_file_allows() -> Result<()> {
    let text = String::from_utf8(fixture("xgboost_regression.json")?)?;
    // One level of four million in every set: each set would have half a megabyte, and there can be many.
    let node = "{\"base_weights\":[0,0,0],\"categories\":[4000000],\"categories_nodes\":[0],\"categories_segments\":[0],\
                \"categories_sizes\":[1],\"default_left\":[0,0,0],\"id\":0,\"left_children\":[1,-1,-1],\"loss_changes\":[1,0,0],\
                \"parents\":[2147483647,0,0],\"right_children\":[2,-1,-1],\"split_conditions\":[0,1,2],\
                \"split_indices\":[2,0,0],\"split_type\":[1,0,0],\"sum_hessian\":[2,1,1],\"tree_param\":{}}";
    let (before, after) = text.split_once("\"tree_info\":[").expect("the field is there");
    let learner = after.split_once("\"name\":\"gbtree\"},").expect("the booster has a name").1;
    let trees = vec![node; 40].join(",");
    let info = vec!["0"; 40].join(",");
    let file = format!("{before}\"tree_info\":[{info}],\"trees\":[{trees}]}},\"name\":\"gbtree\"}},{learner}");
    let Err(error) = read("x.json", file.as_bytes()) else { panic!("it is read") };
    assert!(format!("{error:#}").contains("more room than the file"), "{error:#}");
    Ok(())
}
