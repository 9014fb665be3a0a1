//! Metrics of numbers, clusters and anomaly scores, in the order that tables show them.

use crate::metrics::metric::Measure::{Anomalies, Clusters, Numbers, NumbersAt};
use crate::metrics::metric::{Aim, Metric, When};
use crate::metrics::zoo::rows::{GROUPS, NUMBERS, ODD, POWER, QUANTILE, down, row, up};
use crate::metrics::{anomaly, clustering, deviance, regression};

pub(super) static TABLE: &[Metric] = &[
    down(NUMBERS, "rmse", Numbers(regression::rmse), "square root of the mean squared error, in the target's unit"),
    down(NUMBERS, "mae", Numbers(regression::mae), "mean absolute error, in the target's unit"),
    up(NUMBERS, "r2", Numbers(regression::r2), "share of the target's variance explained"),
    down(NUMBERS, "mse", Numbers(regression::mse), "mean squared error"),
    down(NUMBERS, "mape", Numbers(regression::mape), "mean absolute error as a fraction of the true value"),
    down(NUMBERS, "wape", Numbers(regression::wape), "total absolute error as a fraction of the total"),
    down(NUMBERS, "median_absolute_error", Numbers(regression::median_absolute_error), "median absolute error"),
    down(NUMBERS, "max_error", Numbers(regression::max_error), "largest absolute error"),
    up(
        NUMBERS,
        "explained_variance",
        Numbers(regression::explained_variance),
        "share of variance explained, offset forgiven",
    ),
    up(NUMBERS, "pearson", Numbers(regression::pearson), "correlation of truth and prediction"),
    up(NUMBERS, "spearman", Numbers(regression::spearman), "rank correlation of truth and prediction"),
    down(NUMBERS, "msle", Numbers(regression::msle), "mean squared error of ln(1 + value)"),
    down(NUMBERS, "rmsle", Numbers(regression::rmsle), "square root of the mean squared error of ln(1 + value)"),
    down(NUMBERS, "mean_poisson_deviance", Numbers(deviance::mean_poisson_deviance), "deviance of counts"),
    up(NUMBERS, "coverage", Numbers(regression::coverage), "share of true values within their intervals")
        .when(When::Bounds),
    down(NUMBERS, "mean_interval_width", Numbers(regression::mean_interval_width), "mean width of the intervals")
        .when(When::Bounds),
    row(
        NUMBERS,
        "mean_error",
        Aim::Near(0.0),
        Numbers(regression::mean_error),
        "mean of prediction minus truth: above 0, too much",
    )
    .asked(),
    down(
        NUMBERS,
        "smape",
        Numbers(regression::smape),
        "mean absolute error over the mean size of truth and prediction, 0 to 2",
    )
    .asked(),
    down(NUMBERS, "quantile_loss", NumbersAt(regression::quantile_loss), "pinball loss of the quantile QUANTILE")
        .takes(&QUANTILE),
    down(NUMBERS, "mean_gamma_deviance", Numbers(deviance::mean_gamma_deviance), "deviance of positive amounts")
        .asked(),
    down(
        NUMBERS,
        "mean_tweedie_deviance",
        NumbersAt(deviance::mean_tweedie_deviance),
        "deviance whose variance grows as the mean to POWER",
    )
    .takes(&POWER),
    up(
        NUMBERS,
        "d2_absolute_error",
        Numbers(regression::d2_absolute_error),
        "share of the absolute error of answering the median spared",
    )
    .asked(),
    up(
        NUMBERS,
        "squared_pearson_correlation",
        Numbers(regression::squared_pearson_correlation),
        "squared correlation of truth and prediction",
    )
    .asked(),
    row(NUMBERS, "calibration", Aim::Near(1.0), Numbers(regression::calibration), "mean prediction over mean truth")
        .asked(),
    row(NUMBERS, "mean_label", Aim::Neither, Numbers(regression::mean_label), "mean truth").asked(),
    row(NUMBERS, "mean_prediction", Aim::Neither, Numbers(regression::mean_prediction), "mean prediction").asked(),
    up(
        GROUPS,
        "silhouette",
        Clusters(clustering::sampled_silhouette),
        "how much nearer rows are to their own cluster's rows",
    ),
    up(
        GROUPS,
        "calinski_harabasz",
        Clusters(clustering::calinski_harabasz),
        "spread between clusters over spread within",
    ),
    down(GROUPS, "davies_bouldin", Clusters(clustering::davies_bouldin), "spread of clusters over their distance"),
    down(GROUPS, "inertia", Clusters(clustering::inertia), "sum of squared distances from the centers"),
    up(GROUPS, "clusters", Clusters(clustering::filled), "clusters that have rows"),
    down(GROUPS, "largest_share", Clusters(clustering::largest_share), "share of the rows in the largest cluster"),
    up(GROUPS, "adjusted_rand", Clusters(clustering::adjusted_rand), "agreement with the known groups beyond chance"),
    up(
        GROUPS,
        "normalized_mutual_info",
        Clusters(clustering::normalized_mutual_info),
        "information shared with the known groups",
    ),
    up(GROUPS, "homogeneity", Clusters(clustering::homogeneity), "how far clusters are of one known group only"),
    up(GROUPS, "completeness", Clusters(clustering::completeness), "how far known groups are in one cluster only"),
    up(ODD, "roc_auc", Anomalies(anomaly::roc_auc), "chance that an anomalous row scores above a normal one"),
    up(ODD, "average_precision", Anomalies(anomaly::average_precision), "area under the precision-recall steps"),
    up(ODD, "precision", Anomalies(anomaly::precision), "share of flagged rows that are anomalous"),
    up(ODD, "recall", Anomalies(anomaly::recall), "share of anomalous rows that are flagged"),
    up(ODD, "f1", Anomalies(anomaly::f1), "harmonic mean of precision and recall"),
    up(
        ODD,
        "precision_at_n",
        Anomalies(anomaly::precision_at_n),
        "anomalous share of as many top rows as there are anomalies",
    ),
    down(ODD, "flagged_share", Anomalies(anomaly::flagged_share), "share of all rows that are flagged"),
    down(ODD, "score_mean", Anomalies(anomaly::score_mean), "mean anomaly score"),
    down(ODD, "score_p50", Anomalies(anomaly::score_p50), "median anomaly score"),
    down(ODD, "score_p95", Anomalies(anomaly::score_p95), "score that 95 % of the rows do not exceed"),
    down(ODD, "score_p99", Anomalies(anomaly::score_p99), "score that 99 % of the rows do not exceed"),
    down(ODD, "score_max", Anomalies(anomaly::score_max), "highest anomaly score"),
];
