//! One histogram tree engine: `tree`, `forest`, `extra_trees`, `boost`.
//!
//! Lives here: features in bins (`binned`, `cuts`), flat trees (`tree`, `ensemble`), boosted growing (`sums`,
//! `histogram`, `search`, `partition`, `grow`, `loss`, `watch`, `boost`, `boosted`), forest growing (`criterion`,
//! `choose`, `forest`, `forested`). Does not live here: parameters as written (`spec`), metrics, encoding of raw columns.
//!
//! Always holds: sums that decide splits are integers, so no result depends on threads or on the order of additions;
//! children come after their parent; no threshold or leaf value is NaN.

pub mod binned;
pub mod boost;
pub mod boosted;
pub mod choose;
pub mod criterion;
pub mod cuts;
pub mod ensemble;
pub mod forest;
pub mod forested;
pub mod grow;
pub mod histogram;
pub mod loss;
pub mod partition;
pub mod search;
pub mod sums;
pub mod tree;
pub mod watch;
