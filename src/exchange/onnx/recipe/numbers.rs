//! Steps that make numbers of numbers.

use std::f64::consts::TAU;

use crate::exchange::onnx::graph::{Graph, Tensor, whole};
use crate::exchange::onnx::recipe::normal;
use crate::exchange::onnx::trees::{Ask, steps};
use crate::features::log::FittedLog;
use crate::features::power::FittedPower;
use crate::features::quantile::{END, FittedQuantile, reference};
use crate::features::scale::FittedScale;
use crate::spec::steps::{LogMethod, PowerMethod, QuantileOutput};

/// Powers closer to 0 are logarithms.
const POWER_MIN: f64 = 1e-19;

/// (x - center) / scale, moved into a range.
pub fn scale(graph: &mut Graph, fitted: &FittedScale, values: &Tensor) -> Tensor {
    let scaled = standardized(graph, values, fitted.center, fitted.scale);
    let scaled = match fitted.range {
        None => scaled,
        Some([low, high]) => {
            let (width, low) = (graph.number(high - low), graph.number(low));
            let wide = graph.mul(&scaled, &width);
            graph.add(&wide, &low)
        }
    };
    graph.bounded(&scaled)
}

fn standardized(graph: &mut Graph, values: &Tensor, center: f64, scale: f64) -> Tensor {
    let (center, scale) = (graph.number(center), graph.number(scale));
    let away = graph.sub(values, &center);
    graph.div(&away, &scale)
}

/// The logarithm that was asked for.
pub fn log(graph: &mut Graph, fitted: &FittedLog, values: &Tensor) -> Tensor {
    let natural = match fitted.method {
        LogMethod::Log => {
            let natural = graph.op("Log", &[values]);
            let zero = graph.number(0.0);
            let without = graph.op("LessOrEqual", &[values, &zero]);
            graph.missing_where(&without, &natural)
        }
        LogMethod::Log1p => {
            let natural = graph.log_1p(values);
            let least = graph.number(-1.0);
            let without = graph.op("LessOrEqual", &[values, &least]);
            graph.missing_where(&without, &natural)
        }
        LogMethod::Signed => {
            let size = graph.op("Abs", &[values]);
            let natural = graph.log_1p(&size);
            let sign = graph.op("Sign", &[values]);
            graph.mul(&natural, &sign)
        }
    };
    let scaled = match fitted.base {
        None => natural,
        Some(base) => {
            let base = graph.number(base.ln());
            graph.div(&natural, &base)
        }
    };
    graph.bounded(&scaled)
}

/// The power transform, standardized.
pub fn power(graph: &mut Graph, fitted: &FittedPower, values: &Tensor) -> Tensor {
    let zero = graph.number(0.0);
    let made = match fitted.method {
        PowerMethod::BoxCox => {
            let log = graph.op("Log", &[values]);
            let made = raised(graph, &log, fitted.power);
            let without = graph.op("LessOrEqual", &[values, &zero]);
            graph.missing_where(&without, &made)
        }
        PowerMethod::YeoJohnson => {
            let turned = graph.op("Neg", &[values]);
            let (above, below) = (graph.log_1p(values), graph.log_1p(&turned));
            let above = raised(graph, &above, fitted.power);
            let below = raised(graph, &below, 2.0 - fitted.power);
            let below = graph.op("Neg", &[&below]);
            let positive = graph.op("GreaterOrEqual", &[values, &zero]);
            graph.select(&positive, &above, &below)
        }
    };
    let made = graph.bounded(&made);
    let made = standardized(graph, &made, fitted.center, fitted.scale);
    graph.bounded(&made)
}

/// (e^(λ log) - 1) / λ.
fn raised(graph: &mut Graph, log: &Tensor, power: f64) -> Tensor {
    if power.abs() < POWER_MIN {
        return log.clone();
    }
    let power = graph.number(power);
    let exponent = graph.mul(log, &power);
    let made = graph.exp_m1(&exponent);
    graph.div(&made, &power)
}

/// Sine and cosine of 2π · value / period.
pub fn cyclic(graph: &mut Graph, period: f64, values: &Tensor) -> [Tensor; 2] {
    let period = graph.number(period);
    let rest = graph.node("", "Mod", &[values, &period], vec![whole("fmod", 1)]);
    let turn = graph.div(&rest, &period);
    on_circle(graph, &turn)
}

/// Sine and cosine of a share of a whole turn.
pub fn on_circle(graph: &mut Graph, turn: &Tensor) -> [Tensor; 2] {
    let whole = graph.number(TAU);
    let angle = graph.mul(turn, &whole);
    ["Sin", "Cos"].map(|op| graph.op(op, &[&angle]))
}

/// The rank among the quantiles of the training rows.
pub fn quantile(graph: &mut Graph, fitted: &FittedQuantile, values: &Tensor) -> Tensor {
    let quantiles = &fitted.quantiles[..];
    let (Some(&low), Some(&high)) = (quantiles.first(), quantiles.last()) else {
        let nothing = graph.numbers(&[1, 1], &[f64::NAN]);
        return graph.repeated(values, &nothing, 1);
    };
    let count = quantiles.len() as i64;
    // The last quantile that is not above and the last one that is below the value, both with one after it.
    let most = graph.wholes(&[1], &[(count - 2).max(0)]);
    let least = graph.wholes(&[1], &[0]);
    let one = graph.wholes(&[1], &[1]);
    let mut sides = Vec::with_capacity(2);
    for ask in [Ask::Below, Ask::UpTo] {
        let after = steps(graph, values, quantiles, ask);
        let at = graph.op("Sub", &[&after, &one]);
        let at = graph.op("Max", &[&at, &least]);
        let at = graph.op("Min", &[&at, &most]);
        sides.push(between(graph, quantiles, &at, values));
    }
    let half = graph.number(0.5);
    let both = graph.add(&sides[0], &sides[1]);
    let rank = graph.mul(&both, &half);
    let near = if fitted.output == QuantileOutput::Normal { END } else { 0.0 };
    let rank = ends(graph, values, &rank, [low, high], near);
    let rank = match fitted.output {
        QuantileOutput::Uniform => rank,
        QuantileOutput::Normal => normal::inverse(graph, &rank),
    };
    let missing = graph.is_missing(values);
    graph.missing_where(&missing, &rank)
}

/// The ranks 0 and 1 at the ends.
fn ends(graph: &mut Graph, values: &Tensor, rank: &Tensor, [low, high]: [f64; 2], near: f64) -> Tensor {
    let (low, high, near) = (graph.number(low), graph.number(high), graph.number(near));
    let (zero, one) = (graph.number(0.0), graph.number(1.0));
    let (less, more) = (graph.sub(values, &near), graph.add(values, &near));
    let (at_high, over) = (graph.op("GreaterOrEqual", &[values, &high]), graph.op("Greater", &[&more, &high]));
    let above = graph.op("Or", &[&at_high, &over]);
    let rank = graph.select(&above, &one, rank);
    let (at_low, under) = (graph.op("LessOrEqual", &[values, &low]), graph.op("Less", &[&less, &low]));
    let below = graph.op("Or", &[&at_low, &under]);
    graph.select(&below, &zero, &rank)
}

/// Interpolates between the quantile `at` and the next one.
fn between(graph: &mut Graph, quantiles: &[f64], at: &Tensor, values: &Tensor) -> Tensor {
    let count = quantiles.len();
    let table = |of: &dyn Fn(usize) -> f64| (0..count.max(2) - 1).map(of).collect::<Vec<f64>>();
    let next = |at: usize| quantiles[(at + 1).min(count - 1)];
    // Halves, as a gap may be wider than the largest number.
    let tables = [
        table(&|at| quantiles[at] / 2.0),
        table(&|at| next(at) / 2.0 - quantiles[at] / 2.0),
        table(&|at| reference(at, count)),
        table(&|at| reference((at + 1).min(count - 1), count) - reference(at, count)),
    ];
    let [low, gap, from, rise] = tables.map(|table| {
        let table = graph.numbers(&[table.len()], &table);
        graph.op("Gather", &[&table, at])
    });
    let half = graph.number(2.0);
    let halved = graph.div(values, &half);
    let away = graph.sub(&halved, &low);
    let share = graph.div(&away, &gap);
    let part = graph.mul(&rise, &share);
    let value = graph.add(&from, &part);
    // Equal neighbours have nothing between them.
    let zero = graph.number(0.0);
    let flat = graph.op("Equal", &[&gap, &zero]);
    graph.select(&flat, &from, &value)
}
