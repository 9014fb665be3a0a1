//! Profiles against numpy and pandas, and on columns that are odd.

use anyhow::Result;

use crate::base::talk::Silent;
use crate::data::profile::profile;
use crate::data::profile::sums::quantile;
use crate::data::source::{ReadOptions, read};
use crate::data::table::Table;
use crate::data::tests::{example, table};
use crate::record::profile::{ColumnProfile, NumberProfile, ProfileRecord};

/// Numbers of one column as numpy 2.4.6 and pandas 3.1.1 give them (`std(ddof=1)`, `quantile`, `histogram`).
struct Reference {
    column: &'static str,
    counts: [u64; 4],
    mean: f64,
    std: f64,
    quantiles: [f64; 11],
    bins: [u64; 10],
    edge: f64,
}

fn profile_of(name: &str) -> Result<ProfileRecord> {
    Ok(profile(&read(&example(name), &ReadOptions::default(), &Silent)?.table))
}

fn column<'a>(record: &'a ProfileRecord, name: &str) -> (&'a ColumnProfile, &'a NumberProfile) {
    let column = record.column(name).expect("the column exists");
    (column, column.numbers.as_ref().expect("the column holds numbers"))
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-12 * b.abs().max(1.0)
}

fn check(dataset: &str, references: &[Reference]) -> Result<()> {
    let record = profile_of(dataset)?;
    for wanted in references {
        let (found, numbers) = column(&record, wanted.column);
        let name = wanted.column;
        assert_eq!([found.present, found.missing, found.unique, numbers.zeros], wanted.counts, "{name}");
        assert!(near(numbers.mean.unwrap_or(0.0), wanted.mean), "{name} {:?}", numbers.mean);
        assert!(near(numbers.std.unwrap_or(0.0), wanted.std), "{name} {:?}", numbers.std);
        let quantiles = numbers.quantiles.iter().zip(wanted.quantiles);
        assert!(quantiles.clone().all(|(a, b)| near(*a, b)), "{name} {:?}", numbers.quantiles);
        assert_eq!((numbers.min, numbers.max), (Some(wanted.quantiles[0]), Some(wanted.quantiles[10])));
        assert_eq!(numbers.counts, wanted.bins, "{name}");
        assert!(near(numbers.edges[3], wanted.edge), "{name} {:?}", numbers.edges);
    }
    Ok(())
}

#[test]
fn penguins_as_numpy_describes_them() -> Result<()> {
    check(
        "penguins",
        &[
            Reference {
                column: "bill_length_mm",
                counts: [342, 2, 164, 0],
                mean: 43.9219298245614,
                std: 5.4595837139265315,
                quantiles: [
                    32.1,
                    34.041000000000004,
                    35.7,
                    36.6,
                    39.225,
                    44.45,
                    48.5,
                    50.8,
                    51.995,
                    55.512999999999984,
                    59.6,
                ],
                bins: [9, 40, 57, 48, 49, 55, 61, 16, 5, 2],
                edge: 40.35,
            },
            Reference {
                column: "body_mass_g",
                counts: [342, 2, 94, 0],
                mean: 4201.754385964912,
                std: 801.9545356980955,
                quantiles: [
                    2700.0,
                    2900.0,
                    3150.0,
                    3300.0,
                    3550.0,
                    4050.0,
                    4750.0,
                    5400.0,
                    5650.0,
                    5979.499999999999,
                    6300.0,
                ],
                bins: [15, 43, 71, 53, 42, 41, 28, 27, 16, 6],
                edge: 3780.0,
            },
        ],
    )?;
    let record = profile_of("penguins")?;
    let species = record.column("species").expect("the column exists");
    let top: Vec<(&str, u64)> = species.top.iter().map(|(value, count)| (value.as_str(), *count)).collect();
    assert_eq!(top, [("Adelie", 152), ("Gentoo", 124), ("Chinstrap", 68)]);
    let texts = species.texts.as_ref().expect("the column holds text");
    assert_eq!((texts.length_min, texts.length_max, texts.empty), (6, 9, 0));
    assert!(near(texts.length_mean, 6.593023255813954));
    let (year, _) = column(&record, "year");
    assert_eq!(year.top, [("2009".to_owned(), 120), ("2008".to_owned(), 114), ("2007".to_owned(), 110)]);
    Ok(())
}

#[test]
fn titanic_as_numpy_describes_it() -> Result<()> {
    check(
        "titanic",
        &[
            Reference {
                column: "fare",
                counts: [2207, 0, 278, 890],
                mean: 19.99163833257816,
                std: 43.32280466749213,
                quantiles: [0.0, 0.0, 0.0, 0.0, 0.0, 7.1506, 21.0, 53.81200000000018, 83.0302, 247.1005, 512.0607],
                bins: [1968, 156, 41, 4, 21, 13, 0, 0, 0, 4],
                edge: 153.61820999999998,
            },
            Reference {
                column: "sibsp",
                counts: [2207, 0, 7, 1789],
                mean: 0.29587675577707295,
                std: 0.8387143375530381,
                quantiles: [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 4.0, 8.0],
                bins: [1789, 319, 42, 20, 0, 22, 6, 0, 0, 9],
                edge: 2.4000000000000004,
            },
        ],
    )
}

#[test]
fn bikeshare_as_numpy_describes_it() -> Result<()> {
    check(
        "bikeshare",
        &[
            Reference {
                column: "hum",
                counts: [8645, 0, 88, 22],
                mean: 0.6434297281665703,
                std: 0.19629327912559183,
                quantiles: [0.0, 0.23, 0.32, 0.39, 0.49, 0.65, 0.81, 0.89, 0.94, 1.0, 1.0],
                bins: [23, 32, 308, 596, 1233, 1542, 1451, 1192, 1445, 823],
                edge: 0.30000000000000004,
            },
            Reference {
                column: "casual",
                counts: [8645, 0, 229, 847],
                mean: 28.60057836899942,
                std: 38.840788759808326,
                quantiles: [0.0, 0.0, 0.0, 1.0, 3.0, 14.0, 38.0, 73.0, 115.0, 183.5599999999995, 272.0],
                bins: [5702, 1532, 694, 243, 169, 129, 103, 46, 21, 6],
                edge: 81.6,
            },
            Reference {
                column: "hr",
                counts: [8645, 0, 24, 361],
                mean: 11.573626373626373,
                std: 6.907821610316251,
                quantiles: [0.0, 0.0, 1.0, 2.0, 6.0, 12.0, 18.0, 21.0, 22.0, 23.0, 23.0],
                bins: [1073, 679, 714, 1089, 726, 728, 1093, 728, 726, 1089],
                edge: 6.8999999999999995,
            },
        ],
    )
}

#[test]
fn odd_numbers_are_counted_apart() -> Result<()> {
    let table = Table::from_parquet_bytes({
        let odd = table("x,y\n1.5,a\n-0.0,b\n0.0,c\ninf,d\n-inf,e\nNA,f\n1.5,g\n")?;
        let mut bytes = Vec::new();
        odd.write_parquet(&mut bytes)?;
        bytes
    })?;
    let record = profile(&table);
    let (found, numbers) = column(&record, "x");
    assert_eq!([found.present, found.missing, found.unique], [6, 1, 4]);
    assert_eq!([numbers.zeros, numbers.nan, numbers.infinite], [2, 0, 2]);
    assert_eq!((numbers.min, numbers.max, numbers.mean), (Some(0.0), Some(1.5), Some(0.75)));
    Ok(())
}

#[test]
fn columns_without_spread_or_values() -> Result<()> {
    let record = profile(&table("one,none,huge,flag\n7,NA,1e308,true\n7,NA,-1e308,TRUE\n")?);
    let (_, one) = column(&record, "one");
    assert_eq!((one.std, one.edges[0], one.edges[10]), (Some(0.0), 6.5, 7.5));
    assert_eq!(one.counts.iter().sum::<u64>(), 2);
    let none = record.column("none").expect("the column exists");
    assert_eq!((none.present, none.unique, none.texts.is_none(), none.top.len()), (0, 0, true, 0));
    let (_, huge) = column(&record, "huge");
    assert_eq!((huge.mean, huge.std, huge.quantiles[5]), (Some(0.0), Some(2.0_f64.sqrt() * 1e308), 0.0));
    assert_eq!(huge.counts, [1, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    let flag = record.column("flag").expect("the column exists");
    assert_eq!((flag.unique, &flag.top[..]), (1, &[("true".to_owned(), 2)][..]));
    Ok(())
}

#[test]
fn frequent_values_are_limited() -> Result<()> {
    let mut text = String::from("word,number\n");
    for row in 0..3_000 {
        text.push_str(&format!("w{:04},{}\n", row % 1_500, row % 1_001));
    }
    let record = profile(&table(&text)?);
    let word = record.column("word").expect("the column exists");
    assert_eq!((word.unique, word.top.len(), word.top[0].0.as_str()), (1_500, 1_000, "w0000"));
    assert!(record.column("number").expect("the column exists").top.is_empty());
    Ok(())
}

#[test]
fn dates_are_described_in_microseconds() -> Result<()> {
    let record = profile(&table("d\n1970-01-02\n1970-01-04\n")?);
    let (_, numbers) = column(&record, "d");
    assert_eq!((numbers.min, numbers.mean), (Some(86_400e6), Some(2.0 * 86_400e6)));
    Ok(())
}

#[test]
fn quantiles_lie_between_neighbours() {
    // numpy 2.4.6: np.quantile([1, 2, 4, 8], [0.25, 0.5, 0.9])
    let sorted = [1.0, 2.0, 4.0, 8.0];
    assert_eq!([0.25, 0.5, 0.9].map(|share| quantile(&sorted, share)), [1.75, 3.0, 6.800000000000001]);
}
