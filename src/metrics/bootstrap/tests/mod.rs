//! Tests of the bootstrap: draws, replicates, intervals.

use crate::base::seed::Seed;
use crate::metrics::bootstrap::{Plan, Quantity, percentile, replicate};
use crate::metrics::tests::{binary_table, names};
use crate::metrics::{Sample, Scores};
use crate::record::evaluation::Interval;
use crate::spec::model::Task;

#[test]
fn replicates_scatter_around_the_value() {
    let (truth, probabilities) = binary_table();
    let names = names(2);
    let scores = Scores::Classes { truth: &truth, probabilities: &probabilities, names: &names };
    let sample = Sample::new(scores, Task::Binary);
    let plan = Plan { resamples: 200, level: 0.9, seed: Seed(1) };
    let wanted = ["accuracy", "roc_auc"].map(|metric| Quantity { sample: 0, metric, rows: None });
    let values = replicate(&[sample], &wanted, &plan).expect("well formed");
    let measured = crate::metrics::measure(None, &sample).expect("well formed");
    for (quantity, values) in wanted.iter().zip(values) {
        let Interval { low, high } = percentile(&values, plan.level).expect("enough replicates");
        let value = measured[quantity.metric];
        assert!(low < value && value < high && high - low < 0.2, "{}: {low} {value} {high}", quantity.metric);
    }
}
