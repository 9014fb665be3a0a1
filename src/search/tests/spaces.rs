//! The default spaces hold together; that the kinds take their values is tested where kinds are known.

use crate::search::spaces;
use crate::spec::model::Task;

#[test]
fn default_spaces_fit_tables_of_every_size() {
    for rows in [0, 1, 2, 10, 1_000, usize::MAX] {
        for kind in
            ["boost", "forest", "extra_trees", "tree", "knn", "kmeans", "isolation_forest", "baseline", "linear"]
        {
            let space = spaces::of(kind, Task::Binary, rows).expect(kind);
            for dimension in &space.dimensions {
                dimension.range.check(&dimension.name).unwrap_or_else(|error| panic!("{kind}, {rows} rows: {error}"));
            }
        }
    }
    assert!(spaces::of("magic", Task::Binary, 100).is_none());
}
