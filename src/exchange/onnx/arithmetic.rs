//! Arithmetic of tensors of 64-bit numbers, composed where ONNX has no operator for them or onnxruntime none that is exact.

use crate::exchange::onnx::graph::{Graph, Tensor, whole};
use crate::exchange::onnx::proto::element;

impl Graph {
    /// `a + b`.
    pub fn add(&mut self, a: &Tensor, b: &Tensor) -> Tensor {
        self.op("Add", &[a, b])
    }

    /// `a - b`.
    pub fn sub(&mut self, a: &Tensor, b: &Tensor) -> Tensor {
        self.op("Sub", &[a, b])
    }

    /// `a · b`, element by element.
    pub fn mul(&mut self, a: &Tensor, b: &Tensor) -> Tensor {
        self.op("Mul", &[a, b])
    }

    /// `a / b`.
    pub fn div(&mut self, a: &Tensor, b: &Tensor) -> Tensor {
        self.op("Div", &[a, b])
    }

    /// `yes` where `condition`, else `no`.
    pub fn select(&mut self, condition: &Tensor, yes: &Tensor, no: &Tensor) -> Tensor {
        self.op("Where", &[condition, yes, no])
    }

    /// Another element type, one of [`element`].
    pub fn cast(&mut self, tensor: &Tensor, to: i32) -> Tensor {
        self.node("", "Cast", &[tensor], vec![whole("to", i64::from(to))])
    }

    /// As numbers: truth is 1 and 0.
    pub fn as_numbers(&mut self, tensor: &Tensor) -> Tensor {
        self.cast(tensor, element::DOUBLE)
    }

    /// As whole numbers.
    pub fn as_wholes(&mut self, tensor: &Tensor) -> Tensor {
        self.cast(tensor, element::INT64)
    }

    /// Where numbers are missing.
    pub fn is_missing(&mut self, numbers: &Tensor) -> Tensor {
        self.op("IsNaN", &[numbers])
    }

    /// Missing where `condition`, else `numbers`.
    pub fn missing_where(&mut self, condition: &Tensor, numbers: &Tensor) -> Tensor {
        let nothing = self.number(f64::NAN);
        self.select(condition, &nothing, numbers)
    }

    /// Infinite numbers as missing ones.
    pub fn finite_or_missing(&mut self, numbers: &Tensor) -> Tensor {
        let infinite = self.op("IsInf", &[numbers]);
        self.missing_where(&infinite, numbers)
    }

    /// Between `low` and `high`; missing stays missing.
    pub fn clip(&mut self, numbers: &Tensor, low: f64, high: f64) -> Tensor {
        let (low, high) = (self.numbers(&[], &[low]), self.numbers(&[], &[high]));
        self.op("Clip", &[numbers, &low, &high])
    }

    /// Infinite numbers as the largest ones, as steps of recipes have it.
    pub fn bounded(&mut self, numbers: &Tensor) -> Tensor {
        self.clip(numbers, -f64::MAX, f64::MAX)
    }

    /// Sums along `axis`, which is kept with the size 1 when `keep`.
    pub fn sum_along(&mut self, numbers: &Tensor, axis: i64, keep: bool) -> Tensor {
        self.reduced("ReduceSum", numbers, axis, keep)
    }

    /// What `op` leaves of `axis`, which is kept with the size 1 when `keep`.
    pub fn reduced(&mut self, op: &str, numbers: &Tensor, axis: i64, keep: bool) -> Tensor {
        let axes = self.wholes(&[1], &[axis]);
        self.node("", op, &[numbers, &axes], vec![whole("keepdims", i64::from(keep))])
    }

    /// `tensor` with a dimension of size 1 more, at `axis`.
    pub fn widened(&mut self, tensor: &Tensor, axis: i64) -> Tensor {
        let axes = self.wholes(&[1], &[axis]);
        self.op("Unsqueeze", &[tensor, &axes])
    }

    /// ln(1 + x) with all its digits: ln(u) · x / (u - 1) with u = 1 + x (Kahan; see Higham 2002, §1.14.1).
    pub fn log_1p(&mut self, x: &Tensor) -> Tensor {
        let one = self.number(1.0);
        let u = self.add(x, &one);
        let log = self.op("Log", &[&u]);
        let rest = self.sub(&u, &one);
        let product = self.mul(&log, x);
        let value = self.div(&product, &rest);
        let small = self.op("Equal", &[&u, &one]);
        self.select(&small, x, &value)
    }

    /// e^x - 1 with all its digits: (u - 1) · x / ln(u) with u = e^x (Kahan; see Higham 2002, §1.14.1).
    pub fn exp_m1(&mut self, x: &Tensor) -> Tensor {
        let one = self.number(1.0);
        let u = self.op("Exp", &[x]);
        let less = self.sub(&u, &one);
        let log = self.op("Log", &[&u]);
        let product = self.mul(&less, x);
        let value = self.div(&product, &log);
        let small = self.op("Equal", &[&u, &one]);
        let value = self.select(&small, x, &value);
        let lowest = self.number(-1.0);
        let least = self.op("Equal", &[&less, &lowest]);
        let value = self.select(&least, &lowest, &value);
        let infinite = self.op("IsInf", &[&u]);
        self.select(&infinite, &u, &value)
    }

    /// 1 / (1 + e^x).
    pub fn falling_sigmoid(&mut self, x: &Tensor) -> Tensor {
        let one = self.number(1.0);
        let exp = self.op("Exp", &[x]);
        let below = self.add(&exp, &one);
        self.div(&one, &below)
    }

    /// 1 / (1 + e^-x).
    pub fn sigmoid(&mut self, x: &Tensor) -> Tensor {
        let turned = self.op("Neg", &[x]);
        self.falling_sigmoid(&turned)
    }

    /// Probabilities of both classes from that of the second.
    pub fn pair(&mut self, second: &Tensor) -> Tensor {
        let one = self.number(1.0);
        let first = self.sub(&one, second);
        self.along("Concat", &[&first, second], 1)
    }

    /// `values` in every row: rows × their number.
    pub fn repeated(&mut self, column: &Tensor, values: &Tensor, width: usize) -> Tensor {
        let shape = self.op("Shape", &[column]);
        let first = self.wholes(&[1], &[0]);
        let rows = self.along("Gather", &[&shape, &first], 0);
        let width = self.wholes(&[1], &[width as i64]);
        let shape = self.along("Concat", &[&rows, &width], 0);
        self.op("Expand", &[values, &shape])
    }

    /// Where any number of a row is missing: rows × 1.
    pub fn any_missing(&mut self, matrix: &Tensor) -> Tensor {
        let missing = self.is_missing(matrix);
        let missing = self.as_numbers(&missing);
        let count = self.sum_along(&missing, 1, true);
        let none = self.number(0.0);
        self.op("Greater", &[&count, &none])
    }

    /// Squared Euclidean distances of every row of `matrix` to `points`, `width` numbers each: rows × points. Takes
    /// rows × points × `width` numbers of memory.
    pub fn squares(&mut self, matrix: &Tensor, points: &[f64], width: usize) -> Tensor {
        let wide = self.widened(matrix, 1);
        let points = self.numbers(&[points.len() / width, width], points);
        let apart = self.sub(&wide, &points);
        let squares = self.mul(&apart, &apart);
        self.sum_along(&squares, 2, false)
    }

    /// The same, column by column, which takes rows × points numbers of memory and adds in the order of the columns.
    pub fn squares_by_column(&mut self, columns: &[Tensor], points: &[f64]) -> Tensor {
        let mut sum: Option<Tensor> = None;
        for (at, column) in columns.iter().enumerate() {
            let values: Vec<f64> = points.iter().skip(at).step_by(columns.len()).copied().collect();
            let values = self.numbers(&[1, values.len()], &values);
            let apart = self.sub(column, &values);
            let squares = self.mul(&apart, &apart);
            sum = Some(match sum {
                None => squares,
                Some(before) => self.add(&before, &squares),
            });
        }
        sum.unwrap_or_else(|| self.number(0.0))
    }
}
