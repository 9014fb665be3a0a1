//! Small tables made on the spot, the same every time.

use std::fmt::Write;

/// A table of `rows` rows with a learnable binary target: `id,size,color,when,label`; every tenth size is missing.
pub fn loans(rows: usize) -> String {
    let mut text = "id,size,color,when,label\n".to_owned();
    let mut state = 12_345_u64;
    for id in 0..rows {
        // Knuth's MMIX generator: enough for a table, and the same on every machine.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let noise = (state >> 33) % 100;
        let color = ["red", "green", "blue"][(state >> 40) as usize % 3];
        let label = if noise > 50 || color == "red" { "yes" } else { "no" };
        let size = if id % 10 == 0 { String::new() } else { format!("{}.5", noise) };
        let day = 1 + id % 28;
        writeln!(text, "{id},{size},{color},2025-03-{day:02},{label}").expect("writing to a String cannot fail");
    }
    text
}

/// A table of `rows` rows in three groups with a few odd ones: `id,x,y,kind,group,odd`; every 50th row is far from all groups,
/// and every seventh has no label.
pub fn groups(rows: usize) -> String {
    let mut text = "id,x,y,kind,group,odd\n".to_owned();
    let mut state = 54_321_u64;
    for id in 0..rows {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (near, side) = ((state >> 33) % 100, (state >> 45) % 100);
        let group = [0, 0, 0, 1, 1, 2][id % 6];
        let odd = id % 50 == 49;
        let shift = if odd { 900 } else { 0 };
        let (x, y) = (200 * group + near as usize + shift, 300 * (group % 2) + side as usize + 2 * shift);
        let label = if id % 7 == 0 { "" } else { ["a", "b", "c"][group] };
        let known = if id % 7 == 0 { "" } else { ["fine", "broken"][usize::from(odd)] };
        writeln!(text, "{id},{x},{y},{},{label},{known}", ["p", "q"][id % 2]).expect("writing to a String cannot fail");
    }
    text
}
