//! One histogram tree engine: `tree`, `forest`, `extra_trees`, `boost`.
//!
//! Lives here: features in bins (`binned`, `cuts`), flat trees (`tree`, `ensemble`, `kept`), boosted growing (`sums`,
//! `histogram`, `search`, `terms`, `constraints`, `partition`, `grow`), boosting (`goals`, `loss`, `pointwise`,
//! `derive`, `goss`, `watch`, `booster`, `boost`, `boosted`), forest growing (`criterion`, `weighted`, `choose`,
//! `forest_grow`, `forest`, `forested`), weights of rows and sums in any order (`weights`, `exact`), contributions of
//! features (`shap`, `outline`, `routes`, `walk`, `twig`, `asked`, `covers`, `quadrature`). Does not live here: parameters
//! as written (`spec`), metrics, encoding of raw columns.
//!
//! Always holds: sums that decide splits are integers, so no result depends on threads or on the order of additions;
//! children come after their parent; no threshold or leaf value is NaN.

pub mod asked;
pub mod binned;
pub mod boost;
pub mod boosted;
pub mod booster;
pub mod choose;
pub mod constraints;
pub mod covers;
pub mod criterion;
pub mod cuts;
pub mod derive;
pub mod ensemble;
pub mod exact;
pub mod forest;
pub mod forest_grow;
pub mod forested;
pub mod goals;
pub mod goss;
pub mod grow;
pub mod histogram;
pub mod kept;
pub mod loss;
pub mod outline;
pub mod partition;
pub mod pointwise;
pub mod quadrature;
pub mod routes;
pub mod search;
pub mod shap;
pub mod sums;
pub mod terms;
pub mod tree;
pub mod twig;
pub mod walk;
pub mod watch;
pub mod weighted;
pub mod weights;

#[cfg(test)]
mod tests;
