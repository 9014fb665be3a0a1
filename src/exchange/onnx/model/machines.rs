//! Support vectors: kernels with all of them, decisions of machines, and probabilities of pairs coupled to one answer.

use anyhow::Result;

use crate::base::limits::ONNX_MACHINE_CELLS_MAX;
use crate::exchange::onnx::graph::{Graph, Tensor, inner, list, whole};
use crate::exchange::onnx::model::{Answer, Input, check_size};
use crate::exchange::onnx::proto::{element, kind};
use crate::models::svm::kernel::{KERNEL_MAX, Kernel, VALUE_MAX};
use crate::models::svm::platt::{CERTAIN, ENOUGH, STEPS_LEAST, Sigmoid};
use crate::models::svm::{Answer as Decided, Svm};
use crate::spec::kinds::KernelName;

/// Decisions and what they mean.
///
/// Takes rows × support vectors numbers of memory to run. Errors (usage): too many support vectors.
pub fn write(graph: &mut Graph, model: &Svm, input: Input<'_>) -> Result<Answer> {
    let (supports, machines) = (model.supports.len() / model.features, model.machines.len());
    check_size("svm", "values of support vectors", model.supports.len(), ONNX_MACHINE_CELLS_MAX)?;
    check_size("svm", "coefficients", supports * machines, ONNX_MACHINE_CELLS_MAX)?;
    let alike = alike(graph, model, input);
    let mut coefficients = vec![0.0; supports * machines];
    for (at, machine) in model.machines.iter().enumerate() {
        machine.supports.iter().for_each(|(row, value)| coefficients[*row as usize * machines + at] += value);
    }
    let decisions = match supports {
        0 => {
            let none = graph.numbers(&[1, machines], &vec![0.0; machines]);
            graph.repeated(input.rows, &none, machines)
        }
        _ => {
            let coefficients = graph.numbers(&[supports, machines], &coefficients);
            graph.op("MatMul", &[&alike, &coefficients])
        }
    };
    let offsets: Vec<f64> = model.machines.iter().map(|machine| machine.offset).collect();
    let offsets = graph.numbers(&[1, machines], &offsets);
    let decisions = graph.sub(&decisions, &offsets);
    Ok(match &model.answer {
        Decided::Number { middle, scale } => {
            let (middle, scale) = (graph.number(*middle), graph.number(*scale));
            let scaled = graph.mul(&decisions, &scale);
            let moved = graph.add(&scaled, &middle);
            Answer::Numbers(graph.bounded(&moved))
        }
        Decided::Classes { classes, learnt, sigmoids } => {
            let chances = chances(graph, &decisions, sigmoids);
            let shares = match learnt.len() {
                2 => {
                    let one = graph.number(1.0);
                    let other = graph.sub(&one, &chances);
                    graph.along("Concat", &[&chances, &other], 1)
                }
                count => coupled(graph, &chances, count),
            };
            Answer::Shares(spread(graph, &shares, learnt, *classes), *classes)
        }
    })
}

/// Kernel values of every row with every support vector.
fn alike(graph: &mut Graph, model: &Svm, input: Input<'_>) -> Tensor {
    let Kernel { name, gamma, degree, constant } = model.kernel;
    let (width, count) = (model.features, model.supports.len() / model.features);
    let values = match name {
        KernelName::Rbf => {
            let columns = input.columns(graph);
            let columns: Vec<Tensor> = columns.iter().map(|c| graph.clip(c, -VALUE_MAX, VALUE_MAX)).collect();
            let squares = graph.squares_by_column(&columns, &model.supports);
            let gamma = graph.number(-gamma);
            let scaled = graph.mul(&squares, &gamma);
            return graph.op("Exp", &[&scaled]);
        }
        KernelName::Linear | KernelName::Poly => {
            let matrix = input.matrix(graph);
            let matrix = graph.clip(&matrix, -VALUE_MAX, VALUE_MAX);
            let by_feature = (0..width).flat_map(|at| model.supports.iter().skip(at).step_by(width).copied());
            let by_feature = graph.numbers(&[width, count], &by_feature.collect::<Vec<_>>());
            graph.op("MatMul", &[&matrix, &by_feature])
        }
    };
    let values = match name {
        KernelName::Poly => {
            let (gamma, constant, degree) =
                (graph.number(gamma), graph.number(constant), graph.number(f64::from(degree)));
            let scaled = graph.mul(&values, &gamma);
            let moved = graph.add(&scaled, &constant);
            graph.op("Pow", &[&moved, &degree])
        }
        _ => values,
    };
    graph.clip(&values, -KERNEL_MAX, KERNEL_MAX)
}

/// Probability of the first class of each pair.
fn chances(graph: &mut Graph, decisions: &Tensor, sigmoids: &[Sigmoid]) -> Tensor {
    let of = |of: fn(&Sigmoid) -> f64| sigmoids.iter().map(of).collect::<Vec<f64>>();
    let slopes = graph.numbers(&[1, sigmoids.len()], &of(|sigmoid| sigmoid.slope));
    let shifts = graph.numbers(&[1, sigmoids.len()], &of(|sigmoid| sigmoid.shift));
    let scaled = graph.mul(decisions, &slopes);
    let moved = graph.add(&scaled, &shifts);
    graph.falling_sigmoid(&moved)
}

/// Shares of the learnt classes among all; the others have none.
fn spread(graph: &mut Graph, shares: &Tensor, learnt: &[u32], classes: usize) -> Tensor {
    if learnt.len() == classes {
        return shares.clone();
    }
    let mut table = vec![0.0; learnt.len() * classes];
    learnt.iter().enumerate().for_each(|(place, code)| table[place * classes + *code as usize] = 1.0);
    let table = graph.numbers(&[learnt.len(), classes], &table);
    graph.op("MatMul", &[shares, &table])
}

/// What the steps of coupling read: the matrix Q of every row, and constants.
struct Coupling {
    count: usize,
    q: Tensor,
    enough: Tensor,
}

/// One probability a class from those of `count` classes' pairs, by the steps of `models::svm::platt::couple`, each row
/// until it is settled.
fn coupled(graph: &mut Graph, chances: &Tensor, count: usize) -> Tensor {
    let q = products(graph, chances, count);
    let enough = graph.number(ENOUGH / count as f64);
    let coupling = Coupling { count, q, enough };
    let even = graph.numbers(&[1, count], &vec![1.0 / count as f64; count]);
    let start = graph.repeated(chances, &even, count);
    let steps = graph.wholes(&[], &[count.max(STEPS_LEAST) as i64]);
    let zero = graph.wholes(&[], &[0]);
    let always = graph.op("Equal", &[&zero, &zero]);
    let [turn, going, before] = ["turn", "going", "before"].map(|name| graph.fresh(&format!("mlops_{name}")));
    let mut body = graph.body(&[&turn, &going, &before], |graph| coupling.round(graph, &before));
    let types = [kind(element::INT64, &[]), kind(element::BOOL, &[]), kind(element::DOUBLE, &[None, Some(count)])];
    body.input.iter_mut().zip(&types).for_each(|(input, kind)| input.kind = Some(kind.clone()));
    body.output.iter_mut().zip(&types[1..]).for_each(|(output, kind)| output.kind = Some(kind.clone()));
    let shares = graph.node("", "Loop", &[&steps, &always, &start], vec![inner("body", body)]);
    let total = graph.sum_along(&shares, 1, true);
    graph.div(&shares, &total)
}

/// Q of Wu, Lin and Weng: rows × classes × classes.
fn products(graph: &mut Graph, chances: &Tensor, count: usize) -> Tensor {
    let pairs = count * (count - 1) / 2;
    let one = graph.number(1.0);
    let turned = graph.sub(&one, chances);
    let both = graph.along("Concat", &[chances, &turned], 1);
    let mut places = vec![0_i64; count * count];
    let mut pair = 0;
    for first in 0..count {
        for second in first + 1..count {
            places[first * count + second] = pair;
            places[second * count + first] = pair + pairs as i64;
            pair += 1;
        }
    }
    let places = graph.wholes(&[count, count], &places);
    let r = graph.along("Gather", &[&both, &places], 1);
    let r = graph.clip(&r, CERTAIN, 1.0 - CERTAIN);
    let turned = graph.node("", "Transpose", &[&r], vec![list("perm", vec![0, 2, 1])]);
    let unit: Vec<f64> = (0..count * count).map(|at| f64::from(u8::from(at % (count + 1) == 0))).collect();
    let rest: Vec<f64> = unit.iter().map(|value| 1.0 - value).collect();
    let (unit, rest) = (graph.numbers(&[1, count, count], &unit), graph.numbers(&[1, count, count], &rest));
    let squares = graph.mul(&r, &r);
    let squares = graph.mul(&squares, &rest);
    let sums = graph.sum_along(&squares, 1, true);
    let diagonal = graph.mul(&sums, &unit);
    let crossed = graph.mul(&r, &turned);
    let crossed = graph.mul(&crossed, &rest);
    graph.sub(&diagonal, &crossed)
}

impl Coupling {
    /// One round over all classes: whether any row is not settled, and the shares after it.
    fn round(&self, graph: &mut Graph, before: &Tensor) -> Vec<Tensor> {
        let wide = graph.widened(before, 1);
        let parts = graph.mul(&self.q, &wide);
        let mut qp = graph.sum_along(&parts, 2, false);
        let parts = graph.mul(before, &qp);
        let mut pqp = graph.sum_along(&parts, 1, true);
        let away = graph.sub(&qp, &pqp);
        let away = graph.op("Abs", &[&away]);
        let most = graph.reduced("ReduceMax", &away, 1, true);
        let settled = graph.op("Less", &[&most, &self.enough]);
        let mut shares = before.clone();
        let (one, two) = (graph.number(1.0), graph.number(2.0));
        for at in 0..self.count {
            (shares, qp, pqp) = self.turn(graph, at, [&shares, &qp, &pqp], [&one, &two]);
        }
        let shares = graph.select(&settled, before, &shares);
        let unsettled = graph.op("Not", &[&settled]);
        let counted = graph.as_wholes(&unsettled);
        let axes = graph.wholes(&[2], &[0, 1]);
        let keep = vec![whole("keepdims", 0)];
        let count = graph.node("", "ReduceSum", &[&counted, &axes], keep);
        let going = graph.cast(&count, element::BOOL);
        vec![going, shares]
    }

    /// One class's share moved, and all divided so that they sum to 1 again.
    fn turn(
        &self,
        graph: &mut Graph,
        at: usize,
        [shares, qp, pqp]: [&Tensor; 3],
        [one, two]: [&Tensor; 2],
    ) -> (Tensor, Tensor, Tensor) {
        let mut unit = vec![0.0; self.count];
        unit[at] = 1.0;
        let unit = graph.numbers(&[1, self.count], &unit);
        let place = graph.wholes(&[], &[at as i64]);
        let column = graph.along("Gather", &[&self.q, &place], 2);
        let own = |graph: &mut Graph, matrix: &Tensor| {
            let place = graph.wholes(&[1], &[at as i64]);
            graph.along("Gather", &[matrix, &place], 1)
        };
        let (q, own_qp) = (own(graph, &column), own(graph, qp));
        let apart = graph.sub(pqp, &own_qp);
        let change = graph.div(&apart, &q);
        let grown = graph.add(&change, one);
        let moved = graph.mul(&change, &unit);
        let shares = graph.add(shares, &moved);
        let shares = graph.div(&shares, &grown);
        let (scaled, doubled) = (graph.mul(&change, &q), graph.mul(&own_qp, two));
        let sum = graph.add(&scaled, &doubled);
        let part = graph.mul(&change, &sum);
        let pqp = graph.add(pqp, &part);
        let pqp = graph.div(&pqp, &grown);
        let pqp = graph.div(&pqp, &grown);
        let moved = graph.mul(&change, &column);
        let qp = graph.add(qp, &moved);
        (shares, graph.div(&qp, &grown), pqp)
    }
}
