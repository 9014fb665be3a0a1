//! The inverse of the normal distribution function, for which ONNX has no operator.

use statrs::distribution::{ContinuousCDF, Normal};

use crate::exchange::onnx::graph::{Graph, Tensor};
use crate::features::quantile::END;

/// Coefficients near the middle, from the constant up: Wichura 1988, "Algorithm AS 241", `PPND16`, a and b.
const MIDDLE: [[f64; 8]; 2] = [
    [
        3.387_132_872_796_366_5,
        133.141_667_891_784_38,
        1_971.590_950_306_551_3,
        13_731.693_765_509_46,
        45_921.953_931_549_87,
        67_265.770_927_008_7,
        33_430.575_583_588_13,
        2_509.080_928_730_122_7,
    ],
    [
        1.0,
        42.313_330_701_600_91,
        687.187_007_492_057_9,
        5_394.196_021_424_751,
        21_213.794_301_586_597,
        39_307.895_800_092_71,
        28_729.085_735_721_943,
        5_226.495_278_852_854,
    ],
];
/// Coefficients towards the ends, c and d; for ranks from 1e-11.
const ENDS: [[f64; 8]; 2] = [
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        0.241_780_725_177_450_6,
        0.022_723_844_989_269_184,
        7.745_450_142_783_414e-4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        0.689_767_334_985_1,
        0.148_103_976_427_480_08,
        0.015_198_666_563_616_457,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
];
/// Distance from one half up to which the middle's coefficients count.
const MIDDLE_REACH: f64 = 0.425;

/// Φ⁻¹ of ranks, held within what the ranks [`END`] from both ends give.
pub fn inverse(graph: &mut Graph, ranks: &Tensor) -> Tensor {
    // One step of rounding inside the threshold, as `features::quantile` has it.
    let end = END - f64::EPSILON;
    let normal = Normal::standard();
    let (low, high) = (normal.inverse_cdf(end), normal.inverse_cdf(1.0 - end));
    let (half, one) = (graph.number(0.5), graph.number(1.0));
    let away = graph.sub(ranks, &half);
    let square = graph.mul(&away, &away);
    let reach = graph.number(MIDDLE_REACH * MIDDLE_REACH);
    let rest = graph.sub(&reach, &square);
    let middle = ratio(graph, &rest, &MIDDLE);
    let middle = graph.mul(&middle, &away);
    let inside = graph.clip(ranks, end, 1.0 - end);
    let other = graph.sub(&one, &inside);
    let tail = graph.op("Min", &[&inside, &other]);
    let log = graph.op("Log", &[&tail]);
    let log = graph.op("Neg", &[&log]);
    let root = graph.op("Sqrt", &[&log]);
    let start = graph.number(1.6);
    let root = graph.sub(&root, &start);
    let size = ratio(graph, &root, &ENDS);
    let sign = graph.op("Sign", &[&away]);
    let ends = graph.mul(&size, &sign);
    let distance = graph.op("Abs", &[&away]);
    let reach = graph.number(MIDDLE_REACH);
    let near = graph.op("LessOrEqual", &[&distance, &reach]);
    let value = graph.select(&near, &middle, &ends);
    graph.clip(&value, low, high)
}

/// One polynomial divided by another, by Horner's rule.
fn ratio(graph: &mut Graph, x: &Tensor, coefficients: &[[f64; 8]; 2]) -> Tensor {
    let [above, below] = coefficients.map(|coefficients| {
        let mut sum = graph.number(coefficients[7]);
        for coefficient in coefficients[..7].iter().rev() {
            let coefficient = graph.number(*coefficient);
            let product = graph.mul(&sum, x);
            sum = graph.add(&product, &coefficient);
        }
        sum
    });
    graph.div(&above, &below)
}
