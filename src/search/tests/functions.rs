//! Functions whose lowest values are known, as `tests/fixtures/reference/search/make.py` has them.

use std::f64::consts::PI;

use crate::search::space::Space;

/// A function and the space it is searched in.
pub struct Function {
    pub name: &'static str,
    space: &'static str,
    pub value: fn(&toml::Table) -> f64,
    /// How much worse than the reference the median may be: the standard error of one of 20 seeds.
    pub slack: f64,
}

impl Function {
    pub fn space(&self) -> Space {
        Space::from_toml(&self.space.parse().expect("a table")).expect("a space")
    }
}

pub const FUNCTIONS: &[Function] = &[
    Function {
        name: "branin",
        space: "x = { low = -5, high = 10, float = true }\ny = { low = 0, high = 15, float = true }",
        value: branin,
        slack: 0.0,
    },
    Function {
        name: "hartmann6",
        space: "x0 = { low = 0.0, high = 1 }\nx1 = { low = 0.0, high = 1 }\nx2 = { low = 0.0, high = 1 }\n\
                x3 = { low = 0.0, high = 1 }\nx4 = { low = 0.0, high = 1 }\nx5 = { low = 0.0, high = 1 }",
        value: hartmann6,
        slack: 0.06,
    },
    Function {
        name: "rosenbrock",
        space: "x0 = { low = -2.0, high = 2 }\nx1 = { low = -2.0, high = 2 }\n\
                x2 = { low = -2.0, high = 2 }\nx3 = { low = -2.0, high = 2 }",
        value: rosenbrock,
        slack: 0.0,
    },
    Function {
        name: "mixed",
        space: "rate = { low = 1e-4, high = 1, log = true }\nleaves = { low = 2, high = 256, log = true }\n\
                rows = { low = 1, high = 100 }\nshare = { low = 0.1, high = 1, step = 0.1 }\n\
                kind = ['a', 'b', 'c', 'd']",
        value: mixed,
        slack: 0.0,
    },
];

fn number(params: &toml::Table, name: &str) -> f64 {
    match &params[name] {
        toml::Value::Integer(number) => *number as f64,
        value => value.as_float().expect("a number"),
    }
}

fn branin(params: &toml::Table) -> f64 {
    let (x, y) = (number(params, "x"), number(params, "y"));
    let (b, c, t) = (5.1 / (4.0 * PI * PI), 5.0 / PI, 1.0 / (8.0 * PI));
    (y - b * x * x + c * x - 6.0).powi(2) + 10.0 * (1.0 - t) * x.cos() + 10.0
}

const STEEPNESS: [[f64; 6]; 4] = [
    [10.0, 3.0, 17.0, 3.5, 1.7, 8.0],
    [0.05, 10.0, 17.0, 0.1, 8.0, 14.0],
    [3.0, 3.5, 1.7, 10.0, 17.0, 8.0],
    [17.0, 8.0, 0.05, 10.0, 0.1, 14.0],
];
const PITS: [[f64; 6]; 4] = [
    [1312.0, 1696.0, 5569.0, 124.0, 8283.0, 5886.0],
    [2329.0, 4135.0, 8307.0, 3736.0, 1004.0, 9991.0],
    [2348.0, 1451.0, 3522.0, 2883.0, 3047.0, 6650.0],
    [4047.0, 8828.0, 8732.0, 5743.0, 1091.0, 381.0],
];

fn hartmann6(params: &toml::Table) -> f64 {
    let pit = |at: usize| {
        let of = |i: usize| STEEPNESS[at][i] * (number(params, &format!("x{i}")) - PITS[at][i] / 1e4).powi(2);
        (-(0..6).map(of).sum::<f64>()).exp()
    };
    -[1.0, 1.2, 3.0, 3.2].iter().enumerate().map(|(at, depth)| depth * pit(at)).sum::<f64>()
}

fn rosenbrock(params: &toml::Table) -> f64 {
    let x: Vec<f64> = (0..4).map(|i| number(params, &format!("x{i}"))).collect();
    x.windows(2).map(|pair| 100.0 * (pair[1] - pair[0] * pair[0]).powi(2) + (1.0 - pair[0]).powi(2)).sum()
}

fn mixed(params: &toml::Table) -> f64 {
    let (offset, best) = match params["kind"].as_str() {
        Some("a") => (0.0, -2.0),
        Some("b") => (0.3, -1.0),
        Some("c") => (1.0, -2.5),
        _ => (0.6, -3.0),
    };
    let off = number(params, "rate").log10() - best;
    offset
        + off.powi(2)
        + 0.3 * (number(params, "leaves").log2() - 5.0 - off).powi(2)
        + ((number(params, "rows") - 20.0) / 50.0).powi(2)
        + (number(params, "share") - 0.7).powi(2)
}
