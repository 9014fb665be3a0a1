//! What answers cost, as people write it: `0,1;5,0`.

use std::str::FromStr;

use crate::base::fail::{self, Failure};

/// `costs[truth][prediction]`, square, of finite numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct CostMatrix(pub Vec<Vec<f64>>);

impl FromStr for CostMatrix {
    type Err = Failure;

    /// Rows apart by `;`, numbers by `,`. Errors (usage): what is no finite number; rows of other lengths than their count.
    fn from_str(text: &str) -> Result<CostMatrix, Failure> {
        let bad = |why: String| {
            let hint = "write a row for each true class with a number for each predicted one, as '0,1;5,0'";
            fail::usage(format!("cost matrix `{text}`: {why}")).hint(hint)
        };
        let number = |cell: &str| {
            let cell = cell.trim();
            let value = cell.parse::<f64>().ok().filter(|value| value.is_finite());
            value.ok_or_else(|| bad(format!("`{cell}` is no number")))
        };
        let row = |row: &str| row.split(',').map(number).collect::<Result<Vec<f64>, Failure>>();
        let rows = text.split(';').map(row).collect::<Result<Vec<_>, Failure>>()?;
        match rows.iter().find(|row| row.len() != rows.len()) {
            Some(odd) => Err(bad(format!("{} rows, and one of {} numbers", rows.len(), odd.len()))),
            None => Ok(CostMatrix(rows)),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::spec::costs::CostMatrix;

    #[test]
    fn costs_are_read_or_refused() {
        let read = |text: &str| text.parse::<CostMatrix>().map(|costs| costs.0).map_err(|error| error.to_string());
        assert_eq!(read("0,1;5,0"), Ok(vec![vec![0.0, 1.0], vec![5.0, 0.0]]));
        assert_eq!(read(" -1 , 2.5 ; 0,0 "), Ok(vec![vec![-1.0, 2.5], vec![0.0, 0.0]]));
        for (text, wanted) in [
            ("", "`` is no number"),
            ("0,x;1,0", "`x` is no number"),
            ("0,inf;1,0", "`inf` is no number"),
            ("0,1;5", "2 rows, and one of 1 numbers"),
            ("0,1", "1 rows, and one of 2 numbers"),
        ] {
            assert!(read(text).is_err_and(|message| message.contains(wanted)), "{text}");
        }
    }
}
