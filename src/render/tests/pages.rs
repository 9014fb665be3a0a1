//! Pages about profiles: whole, harmless, small, and the same every time.

use crate::record::profile::{ColumnProfile, ProfileRecord};
use crate::render::profile::{ComparedProfile, CorrelationMatrix, DriftNumber, TargetInformation, html};
use crate::render::tests::{VOID, column, document, numbers, sample, texts, well_formed};
use crate::spec::schema::ColumnType;

const EVIL: &str = "<script>alert('x')</script>\"&\u{1}";

fn evil() -> ProfileRecord {
    let mut number = numbers(EVIL, ColumnType::Float, &[-1.0, 0.5, 3.0], true);
    number.missing = 4;
    let text = texts("text", &[(EVIL, 3), ("", 2), ("  ", 1), ("\"quoted\"", 1)]);
    ProfileRecord { rows: 7, columns: vec![number, text, column("none", ColumnType::Boolean)] }
}

#[test]
fn nothing_in_a_table_becomes_markup() {
    let profile = evil();
    let (findings, _) = sample();
    let mut page = document(EVIL, &profile);
    page.facts = vec![("Source".to_owned(), EVIL.to_owned())];
    page.target = Some(EVIL);
    page.findings = &findings;
    let drift = DriftNumber {
        column: EVIL.to_owned(),
        test: EVIL.to_owned(),
        statistic: f64::NAN,
        threshold: 0.1,
        drifted: true,
    };
    page.compared = Some(ComparedProfile { label: EVIL, profile: &profile, drift: vec![drift] });
    let columns = vec![EVIL.to_owned(), "b".to_owned()];
    let values = vec![vec![Some(1.0), None], vec![Some(-0.7), Some(f64::NAN)]];
    page.correlations = vec![CorrelationMatrix { method: EVIL.to_owned(), columns, values }];
    let values = vec![(EVIL.to_owned(), 0.4), ("b".to_owned(), f64::INFINITY)];
    page.information = Some(TargetInformation { target: EVIL.to_owned(), unit: EVIL.to_owned(), values });
    let text = html(&page);
    // The one script is the page's own.
    assert_eq!(text.matches("<script").count(), 1);
    assert!(text.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"));
    well_formed(&text, VOID);
    assert_eq!(text, html(&page), "same input, same bytes");
}

#[test]
fn a_page_asks_nothing_of_the_network() {
    let profile = evil();
    let text = html(&document("t", &profile));
    for word in ["http:", "https:", " src=", "url(", "@import", "<link", "fetch(", "XMLHttp", "import("] {
        assert!(!text.contains(word), "{word}");
    }
    assert!(text.contains("default-src 'none'"));
}

#[test]
fn degenerate_columns_have_a_card() {
    let huge = numbers("huge", ColumnType::Float, &[f64::MIN, f64::MAX], true);
    let mut nan = column("nan", ColumnType::Float);
    nan.present = 3;
    nan.numbers = numbers("nan", ColumnType::Float, &[1.0], false).numbers.map(|mut numbers| {
        (numbers.min, numbers.max, numbers.mean, numbers.std) = (None, None, None, None);
        (numbers.quantiles, numbers.edges, numbers.counts, numbers.nan) = (vec![], vec![], vec![], 3);
        numbers
    });
    let ids: Vec<(String, u64)> = (0..30).map(|id| (format!("id{id}"), 1)).collect();
    let ids = ColumnProfile { present: 30, unique: 30, top: ids, ..texts("", &[]) };
    let constant = numbers("constant", ColumnType::Integer, &[7.0], true);
    let constant = ColumnProfile { present: 9, unique: 1, ..constant };
    let empty = ProfileRecord { rows: 0, columns: vec![] };
    let profile = ProfileRecord { rows: 30, columns: vec![huge, nan, ids, constant, column("none", ColumnType::Date)] };
    let text = html(&document("odd", &profile));
    well_formed(&text, VOID);
    for word in ["No finite values", "No value repeats", "constant", "No values", "(empty)"] {
        assert!(text.contains(word), "{word}");
    }
    assert!(!text.contains("NaN%") && !text.contains("\"NaN") && !text.contains("inf\""), "coordinates are numbers");
    let text = html(&document("nothing", &empty));
    well_formed(&text, VOID);
    assert!(text.contains("The table has no columns"));
}

#[test]
fn two_versions_lie_over_each_other() {
    let old = ProfileRecord {
        rows: 4,
        columns: vec![
            numbers("size", ColumnType::Integer, &[1.0, 2.0, 3.0, 4.0], true),
            texts("kind", &[("a", 3), ("b", 1)]),
            column("gone", ColumnType::Text),
            texts("still", &[("x", 4)]),
        ],
    };
    let new = ProfileRecord {
        rows: 4,
        columns: vec![
            numbers("size", ColumnType::Float, &[1.0, 2.0, 30.0, 40.5], true),
            texts("kind", &[("a", 1), ("c", 3)]),
            texts("still", &[("x", 4)]),
            column("fresh", ColumnType::Text),
        ],
    };
    let mut page = document("t@v2", &new);
    page.compared = Some(ComparedProfile { label: "t@v1", profile: &old, drift: Vec::new() });
    let text = html(&page);
    well_formed(&text, VOID);
    for word in [
        "integer → float",
        "class=\"then\"",
        "3 rows (75 %), before 0 %",
        "1 row (25 %), before 75 %",
        "Columns that are gone",
        "<b>gone</b>",
        "data-state=\"same\"",
        "<tr class=\"changed\"><th>max</th><td class=\"n\">4</td><td class=\"n\"><span class=\"to\">40.5</span></td>",
    ] {
        assert!(text.contains(word), "{word} is not in the page");
    }
    assert_eq!(text.matches("data-state=\"changed\"").count(), 3);
}

#[test]
fn two_hundred_columns_fit_two_megabytes() {
    let values: Vec<f64> = (0..1000).map(|value| f64::from(value) * 1.618).collect();
    let column = |index: usize| match index % 3 {
        0 => texts(&format!("column_number_{index}"), &[("red", 500), ("green", 300), ("a rather long value", 200)]),
        1 => numbers(&format!("column_number_{index}"), ColumnType::Timestamp, &values, true),
        _ => numbers(&format!("column_number_{index}"), ColumnType::Float, &values, true),
    };
    let profile = ProfileRecord { rows: 1000, columns: (0..200).map(column).collect() };
    let mut page = document("wide", &profile);
    page.compared = Some(ComparedProfile { label: "older", profile: &profile, drift: Vec::new() });
    let names: Vec<String> = (0..200).map(|index| format!("column_number_{index}")).collect();
    let values = vec![vec![Some(0.5); 200]; 200];
    page.correlations = vec![CorrelationMatrix { method: "Pearson".to_owned(), columns: names, values }];
    let size = html(&page).len();
    assert!(size < 2_000_000, "{size} bytes");
}
