//! Every limit of the product, named, with its unit and the reason for its size.

use std::time::Duration;

/// Blobs above this many bytes are split into content-defined chunks; below, a manifest would cost more than it saves.
pub const CHUNK_THRESHOLD_BYTES: u64 = 4 << 20;
/// Smallest, usual and largest chunk in bytes: about 1 MiB keeps a 5 GB file at 5,000 objects.
pub const CHUNK_BYTES: (u32, u32, u32) = (256 << 10, 1 << 20, 4 << 20);
/// Most chunks of one blob: about 1 TiB of data, 36 MiB of manifest.
pub const CHUNKS_MAX: u64 = 1 << 20;
/// Most bytes one record may have; records are read whole into memory.
pub const RECORD_BYTES_MAX: u64 = 64 << 20;
/// How long a second writer waits for the repository lock before it says who holds it.
pub const LOCK_WAIT: Duration = Duration::from_secs(10);
/// How long SQLite waits for another process's write.
pub const INDEX_BUSY: Duration = Duration::from_secs(10);
/// Most bytes of one field, and of one line, of a text table; a 1 GB "line" is a wrong delimiter, not a row.
pub const LINE_BYTES_MAX: usize = 16 << 20;
/// Most columns of a table.
pub const COLUMNS_MAX: usize = 50_000;
/// Sample rows named in one finding.
pub const FINDING_ROWS_MAX: usize = 20;
/// Distinct values up to which a text column counts as categorical when a schema is inferred (TFDV's default).
pub const DOMAIN_VALUES_MAX: usize = 100;
/// Most classes of a classification target.
pub const CLASSES_MAX: usize = 1_000;
/// Most folds of a cross-validation: each is a fit of its own, and their numbers are kept in one byte a row.
pub const FOLDS_MAX: usize = 100;
/// Trees between two points that a trial reports: prunes as well as every tree would, with a tenth of what is kept.
pub const TRIAL_STEP_TREES: i64 = 10;
/// Trials that ended before they are sealed together: a commit costs about five waits for the disk, whatever their number.
pub const TRIALS_AT_ONCE: usize = 1_000;
/// How long a trial that ended waits for others to be sealed with; until then only the journal of its study has it.
pub const TRIALS_WAIT: Duration = Duration::from_secs(1);
/// Bytes of a command stage's output kept with its run, from the end.
pub const STAGE_OUTPUT_BYTES_MAX: usize = 1 << 20;
/// Bytes of `mlops.toml`, `mlops.lock` and `schema.toml`.
pub const SPEC_BYTES_MAX: u64 = 4 << 20;
/// Most bytes of the note of a version: a page of text, kept in the list of versions that is read whole.
pub const NOTE_BYTES_MAX: usize = 16 << 10;
/// Most bytes of the value of one tag, and tags of one version.
pub const TAG_BYTES_MAX: usize = 1_000;
/// See [`TAG_BYTES_MAX`].
pub const TAGS_MAX: usize = 100;
/// How long a hook may take before it and all it started are killed, unless `MLOPS_HOOK_TIMEOUT` says otherwise.
pub const HOOK_WAIT: Duration = Duration::from_secs(60);
/// Longest time that a hook may be given.
pub const HOOK_WAIT_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// Bytes of what a hook says that are kept for the reason, from the end.
pub const HOOK_OUTPUT_BYTES_MAX: usize = 4 << 10;
/// Rows that are sent to a server before a model is registered: enough for every class and level of most tables.
pub const CHECK_ROWS: usize = 32;
/// Single rows whose latency is measured then.
pub const CHECK_REQUESTS: usize = 20;
/// How long that server may take to start, and for one answer.
pub const CHECK_WAIT: Duration = Duration::from_secs(10);
/// Rows that a package's importances are measured on: 100 trees take 15 ms.
pub const MONITOR_ROWS: usize = 256;
/// Rows of a dataset that an imported model answers for its package.
pub const MONITOR_IMPORT_ROWS: usize = 10_000;
/// The same of kinds that do not say what each feature adds, whose columns are shuffled one by one.
pub const MONITOR_ROWS_SHUFFLED: usize = 32;
/// Raw columns that are shuffled for it; of more, none are.
pub const MONITOR_COLUMNS_SHUFFLED_MAX: usize = 100;
/// Classes whose probability keeps a distribution of its own in a package; the most frequent ones of more.
pub const MONITOR_CLASSES_MAX: usize = 50;
/// Most bytes in the body of one request to the server.
pub const BODY_BYTES_MAX: usize = 64 << 20;
/// Most rows in one request to the server.
pub const REQUEST_ROWS_MAX: usize = 100_000;
/// Most connections the server keeps open; below the 1,024 files a process may usually have open. One more is told to wait.
pub const CONNECTIONS_MAX: usize = 1_000;
/// How long a client of the server may take to send the head of its next request; idle connections end after it.
pub const HEADER_WAIT: Duration = Duration::from_secs(30);
/// How long a client of the server may take to send one whole body.
pub const BODY_WAIT: Duration = Duration::from_secs(30);
/// Most bytes in the head of one request to the server, and headers in it.
pub const HEADER_BYTES_MAX: usize = 64 << 10;
/// Most bytes of all request bodies that the server holds at once, small ones not counted; beyond it, clients are told to wait.
pub const BODIES_BYTES_MAX: usize = 256 << 20;
/// Bodies up to this many bytes are answered where they were read: a few rows cost less than a change of thread.
pub const INLINE_BYTES_MAX: usize = 16 << 10;
/// How long a stopping server goes on answering on open connections, so that no client finds one closed under its request.
pub const STOP_LINGER: Duration = Duration::from_millis(500);
/// How long a stopping server waits for what it has accepted; containers are killed 30 s after they are told to stop.
pub const STOP_GRACE: Duration = Duration::from_secs(20);
/// How long an unreferenced object is kept before `gc` may remove it: other processes may be about to name it.
pub const GC_GRACE: Duration = Duration::from_secs(60 * 60);
/// Rows beyond which k-nearest neighbours is refused: every prediction looks at every row.
pub const NEIGHBOURS_ROWS_MAX: usize = 50_000;
/// Rows beyond which support vectors are refused: their number grows with the rows, and fitting with the square and more.
pub const SUPPORT_ROWS_MAX: usize = 20_000;
/// Bytes of kernel values that fitting support vectors keeps; rows that are asked for again later are computed again.
pub const KERNEL_BYTES_MAX: usize = 256 << 20;
/// Rows that a silhouette is measured on: every one is compared with every other.
pub const SILHOUETTE_ROWS_MAX: usize = 2_000;
/// Most trees of an isolation forest; scores settle long before (Liu 2008: 100).
pub const ISOLATION_TREES_MAX: usize = 10_000;
/// Values × columns made of one target encoding: 16 MB, and as much again for what is looked up.
pub const TARGET_CELLS_MAX: usize = 2_000_000;
/// Training rows that filling by nearest rows keeps in a recipe: every gap looks at each of them.
pub const IMPUTE_ROWS_MAX: usize = 5_000;
/// Cells of those rows: about 10 MB of JSON in every package.
pub const IMPUTE_CELLS_MAX: usize = 500_000;
/// Columns of principal components and of clusters: the matrix of their products has as many cells squared.
pub const COMPONENT_COLUMNS_MAX: usize = 2_000;
/// Most centres of clusters.
pub const CLUSTERS_MAX: usize = 1_000;
/// Training rows on which clusters are looked for; more hardly move their centres.
pub const CLUSTER_ROWS_MAX: usize = 100_000;
/// Training rows on which columns are measured for selection.
pub const SELECT_ROWS_MAX: usize = 50_000;
/// Columns whose pairwise correlations are measured for selection.
pub const SELECT_PAIR_COLUMNS_MAX: usize = 2_000;
/// Bytes of a formula.
pub const EXPRESSION_BYTES_MAX: usize = 4_000;
/// Features beyond which normal equations are not made: their matrix grows with the square, its factor with the cube.
pub const NORMAL_FEATURES_MAX: usize = 5_000;
/// Features up to which coordinate descent keeps all their products: 32 MB, and ten times that to choose a penalty.
pub const PRODUCTS_FEATURES_MAX: usize = 2_000;
/// Most coefficients of a linear model, features times classes: its optimiser keeps about thirty numbers for each, 1 GB.
pub const COEFFICIENTS_MAX: usize = 1 << 22;
/// Most numbers in one table of contributions: 1 GiB.
pub const CONTRIBUTIONS_MAX: usize = 1 << 27;
/// Most frequent values kept in a profile: the ranks that TFDV keeps.
pub const TOP_VALUES_MAX: usize = 1_000;
/// Points of a quantile sketch: rank errors stay below a thousandth, and a profile below 40 kB a column.
pub const SKETCH_POINTS_MAX: usize = 1_024;
/// Most bytes that a compressed source may unpack to, and most bytes fetched from elsewhere, unless more is asked for.
pub const SOURCE_BYTES_MAX: u64 = 64 << 30;
/// Most times that a compressed source may grow when unpacked; text tables shrink ten- to fiftyfold.
pub const UNPACK_RATIO_MAX: u64 = 1_000;
/// Bytes that columns described side by side may take; beyond, they are described one after the other.
pub const DESCRIBED_BYTES_MAX: u64 = 256 << 20;
/// Bytes that the lists, sketches and frequent values of one profile take together, about; half of a record's limit, so that
/// the rest of it fits whatever the number of columns.
pub const PROFILE_BYTES_MAX: usize = 32 << 20;
/// Bytes of the most frequent values of one column: a thousand names, or a few long texts.
pub const TOP_BYTES_MAX: usize = 64 << 10;
/// Distinct texts counted in one go; a column of more is counted in parts, so that memory does not grow with it.
pub const TEXTS_AT_ONCE_MAX: usize = 1 << 20;
/// Columns whose pairs are compared; pairs grow with the square.
pub const ASSOCIATED_COLUMNS_MAX: usize = 100;
/// Rows beyond which rank correlations are left out: each pair of columns with missing values is ranked anew.
pub const RANKED_ROWS_MAX: usize = 1_000_000;
/// Slices profiled one by one; more are not read by anybody.
pub const SLICES_MAX: usize = 20;
/// Rows on which suspicions about columns are ruled out before all rows are looked at.
pub const SENSE_SAMPLE_ROWS: usize = 4_096;
/// Values of all columns together in that sample: 64 MB, so that a table of 50,000 columns is sampled more thinly.
pub const SENSE_SAMPLE_CELLS_MAX: usize = 8_000_000;
/// Numeric columns whose pairs are searched for leaks and copies: half a million pairs take some tenths of a second.
pub const SENSE_PAIR_COLUMNS_MAX: usize = 1_000;
/// Rows up to which an isolation forest is grown without being asked for: it costs about a microsecond a row and core.
pub const SENSE_ISOLATION_ROWS_MAX: usize = 200_000;
/// Values of all numeric columns together for it, unless asked for: 256 MB.
pub const SENSE_ISOLATION_CELLS_MAX: usize = 32_000_000;
/// Columns that get a card in a page about a profile: more would make it slower to open than to ask for them by name.
pub const PAGE_COLUMNS_MAX: usize = 1_000;
/// Columns of a map of correlations; names of more cannot be read.
pub const HEAT_MAP_COLUMNS_MAX: usize = 40;
/// Findings that a page, or a document in Markdown, JUnit XML or annotations lists; more hide each other.
pub const DOCUMENT_FINDINGS_MAX: usize = 2_000;
/// Most characters of a document in Markdown: comments on GitHub end at 65,536.
pub const MARKDOWN_CHARACTERS_MAX: usize = 60_000;
/// Rows of each kind that a comparison of two tables shows unless asked for more.
pub const DIFF_ROWS_SHOWN: usize = 20;
/// Most files that one folder, pattern or listing may name.
pub const SOURCE_FILES_MAX: usize = 100_000;
/// How often a broken transfer is taken up again before it counts as failed.
pub const FETCH_RETRIES: u32 = 4;
/// Pause before the first retry of a transfer; it doubles with every further one.
pub const FETCH_PAUSE: Duration = Duration::from_millis(250);
/// How long a server may take to accept a connection.
pub const FETCH_CONNECT_WAIT: Duration = Duration::from_secs(20);
/// How long a transfer may stand still before it counts as broken.
pub const FETCH_STALL: Duration = Duration::from_secs(60);
/// Redirects followed for one file; curl's and browsers' usual answer is 20, honest servers need 3.
pub const FETCH_REDIRECTS_MAX: usize = 10;
/// Most folders put in front of a file's name so that it differs from those of other sources.
pub const SOURCE_NAME_PARTS_MAX: usize = 16;
/// How long a database may take from one row of an answer to the next.
pub const QUERY_WAIT: Duration = Duration::from_secs(60 * 60);
/// Most quantiles kept of one column: 800 kB in a recipe.
pub const QUANTILES_MAX: usize = 100_000;
/// Most columns that one column is hashed into; each is a column of numbers.
pub const HASHED_COLUMNS_MAX: usize = 4_096;
/// Most words or characters of one term of a text.
pub const NGRAM_MAX: usize = 10;
/// Most terms of a vocabulary; each is a column of numbers.
pub const TERMS_MAX: usize = 10_000;
/// Distinct terms counted side by side while a vocabulary is learned, about 400 MB; beyond, those seen once are forgotten.
pub const TERMS_COUNTED_MAX: usize = 4_000_000;
/// Most features of a kept ensemble of trees: what is listed by feature stays below a gigabyte, whatever a file claims.
pub const TREE_FEATURES_MAX: usize = 1 << 24;
/// Most trials of one search; each is a run of its own.
pub const TRIALS_MAX: usize = 100_000;
/// Most parameters searched at once that have more than one value; sampling is no better than chance long before.
pub const SEARCH_DIMENSIONS_MAX: usize = 64;
/// Most values that one searched parameter may choose from.
pub const SEARCH_CHOICES_MAX: usize = 1_000;
/// Most points of a grid; more would never be tried, and their order is kept in memory.
pub const GRID_POINTS_MAX: usize = 100_000;
/// Most intermediate values of one trial that pruning looks at; later ones are passed over.
pub const TRIAL_REPORTS_MAX: usize = 10_000;
/// Most messages inside an ONNX file, a node and each of its attributes being one; a decoded one takes up to 2 kB, so 100 MB.
pub const ONNX_MESSAGES_MAX: usize = 50_000;
/// How deep messages of an ONNX file may lie inside each other; a tensor of a node of the graph lies at 4.
pub const ONNX_DEPTH_MAX: usize = 16;
/// Most values that all steps of an ONNX graph may make for one block of rows together: 256 MB.
pub const ONNX_VALUES_MAX: usize = 1 << 26;
/// Most multiplications in the matrix products of an ONNX graph for one block of rows: some seconds.
pub const ONNX_PRODUCTS_MAX: usize = 1 << 33;
/// Rows that an ONNX graph is given at once, unless it asks for another number.
pub const ONNX_BLOCK_ROWS: usize = 64;
/// Most rows that an ONNX graph may ask for at once.
pub const ONNX_BLOCK_ROWS_MAX: usize = 4_096;
/// Bytes of a model file of another tool that is read into memory.
pub const FOREIGN_BYTES_MAX: u64 = 1 << 30;
/// Sets of levels in a model file may take this many bytes for each byte of the file: an honest node that names one level
/// takes about as much text as a set of a thousand levels takes bits.
pub const FOREIGN_SET_BYTES_RATIO_MAX: usize = 16;
/// Most members of a blend; an ensemble selection of fifty steps cannot give more than fifty.
pub const BLEND_MEMBERS_MAX: usize = 64;
/// Most models of all members of a blend together: each of them answers every row.
pub const BLEND_MODELS_MAX: usize = 1_024;
/// Most trials of one automatic search: each keeps its answers to all rows.
pub const AUTO_TRIALS_MAX: usize = 10_000;
/// Most recipes side by side in one: a blend wants one for each form of features that its members eat.
pub const RECIPE_BRANCHES_MAX: usize = 16;
/// Cells of training rows of nearest neighbours that are written as ONNX: 80 MB of constants.
pub const ONNX_NEIGHBOUR_CELLS_MAX: usize = 10_000_000;
/// Cells of support vectors, and coefficients of their machines, that are written as ONNX: 80 MB of constants.
pub const ONNX_MACHINE_CELLS_MAX: usize = 10_000_000;
/// Bytes of an ONNX file: the messages it is made of cannot be longer.
pub const ONNX_BYTES_MAX: usize = (2 << 30) - 1;
/// Rows that an explanation looks at unless asked for more: means over them are good to a few hundredths of their spread.
pub const EXPLAIN_ROWS: usize = 1_000;
/// The same of kinds that answer from all the rows they keep, or ask many models: some 100 times slower than trees.
pub const EXPLAIN_ROWS_SLOW: usize = 200;
/// Most rows that an explanation looks at when asked for more.
pub const EXPLAIN_ROWS_MAX: usize = 1_000_000;
/// Cells of those rows: every column moved is a copy of them, 32 MB.
pub const EXPLAIN_CELLS_MAX: usize = 4 << 20;
/// Raw columns that are moved one by one; of more, those that the model itself finds most important.
pub const EXPLAIN_COLUMNS_MAX: usize = 200;
/// Most shuffles of one column.
pub const EXPLAIN_REPEATS_MAX: usize = 1_000;
/// Values of one column at which a model is asked.
pub const EXPLAIN_POINTS: usize = 20;
/// Rows whose own curves are kept beside the mean.
pub const EXPLAIN_CURVES: usize = 20;
/// Rows whose contributions are kept one by one for a picture.
pub const EXPLAIN_SWARM_ROWS: usize = 200;
/// Rows that stand for "not known" where contributions are sampled: each is two orders of the columns.
pub const EXPLAIN_BACKGROUND_ROWS: usize = 50;
/// Answers asked of a model for the summary of sampled contributions.
pub const EXPLAIN_EVALUATIONS: usize = 200_000;
/// The same of slow kinds.
pub const EXPLAIN_EVALUATIONS_SLOW: usize = 20_000;
/// Rows among which interactions are measured: each is put together with each.
pub const EXPLAIN_INTERACTION_ROWS: usize = 64;
/// The same of slow kinds.
pub const EXPLAIN_INTERACTION_ROWS_SLOW: usize = 32;
/// Columns whose pairs are measured.
pub const EXPLAIN_INTERACTION_COLUMNS: usize = 6;
/// Most single rows explained at once.
pub const EXPLAIN_SINGLE_ROWS_MAX: usize = 20;
/// Things that a lineage shows; of more it says that they are left out.
pub const LINEAGE_NODES: usize = 1_000;
/// Most that may be asked for.
pub const LINEAGE_NODES_MAX: usize = 100_000;
/// Columns of one dataset that are told to other tools by name; of wider ones only their number is.
pub const LINEAGE_COLUMNS_MAX: usize = 2_000;
/// Bytes of one gate.
pub const GATE_BYTES_MAX: usize = 4_096;
/// Slices that the reason of one gate lists by name.
pub const GATE_SLICES_LISTED_MAX: usize = 10;
/// Values of a column named alone as a facet that are groups of their own, most rows first.
pub const FACET_VALUES_MAX: usize = 20;
/// Rows of the group whose nearest neighbours are looked for by the flip test.
pub const FLIP_GROUP_ROWS_MAX: usize = 2_000;
/// Rows of the others among which they are looked for: together 16 million distances.
pub const FLIP_REST_ROWS_MAX: usize = 8_000;
/// Levels of a category that the flip test tells apart; a category with more is left out of its distances.
pub const FLIP_LEVELS_MAX: usize = 20;
/// Rows that a model is asked about one by one to measure its latency.
pub const COST_ROWS: usize = 1_000;
/// Rows that a model is asked about before the clock runs.
pub const COST_WARM_UP_ROWS: usize = 20;
/// Seconds that one measurement of latency or of rows a second may take.
pub const COST_SECONDS_MAX: f64 = 2.0;
/// Rows of one batch that rows a second are measured on.
pub const COST_BATCH_ROWS: usize = 10_000;
/// Rows that disturbances are tried on.
pub const ROBUSTNESS_ROWS_MAX: usize = 5_000;
/// Columns that are disturbed one by one.
pub const ROBUSTNESS_COLUMNS_MAX: usize = 100;
/// Seconds that all disturbances of rows may take; what is left out is said.
pub const ROBUSTNESS_SECONDS_MAX: f64 = 120.0;
/// Seconds that the trainings with other seeds may be expected to take.
pub const ROBUSTNESS_TRAINING_SECONDS_MAX: f64 = 300.0;
/// Distinct values of a column of numbers up to this many are slices of their own; more are put into bins.
pub const SLICE_NUMBERS_MAX: usize = 50;
/// Most slices of one column, cross or condition: the most frequent ones. Each costs all metrics of the task.
pub const JUDGED_SLICES_MAX: usize = 500;
/// Most bins of `bins(COLUMN, N)`.
pub const SLICE_BINS_MAX: usize = 100;
/// Bins of a column of numbers that has more distinct values than are slices of their own.
pub const SLICE_BINS: usize = 4;
/// Most periods (hours, days, months, quarters, years) that a column of times is divided into before longer ones are taken.
pub const SLICE_PERIODS_MAX: usize = 24;
/// Most resamples that intervals come from: 800 kB a metric.
pub const RESAMPLES_MAX: u32 = 100_000;
/// Fewest resamples that intervals come from when more would take too long; a 95 % interval rests on five of them then.
pub const RESAMPLES_MIN: u32 = 100;
/// Rows looked at for the intervals of one evaluation, about 20 s on two cores; fewer resamples are drawn beyond it, which is said.
pub const RESAMPLED_ROWS_MAX: u64 = 20_000_000_000;
/// Rows looked at from which on progress is shown: some seconds.
pub const RESAMPLED_ROWS_SHOWN: u64 = 4_000_000_000;
/// Rows below which intervals are said to be too narrow.
pub const INTERVAL_ROWS_MIN: usize = 30;
/// Rows and rows of each class from which on the area of a slice gets DeLong's interval: resampling says the same then.
pub const DELONG_ROWS_MIN: (usize, usize) = (2_000, 100);
/// Slices where another model was better that a comparison lists.
pub const WORSE_SLICES_MAX: usize = 20;
/// Rows that the worst slices are searched in: of more, rows spread evenly over them. A pass over a pair of columns takes
/// about half a millisecond.
pub const SLICE_SEARCH_ROWS_MAX: usize = 200_000;
/// Columns that the worst slices are searched in, the first ones that a model reads.
pub const SLICE_SEARCH_COLUMNS_MAX: usize = 100;
/// Columns of which each pair is searched: 190 pairs.
pub const SLICE_SEARCH_PAIR_COLUMNS_MAX: usize = 20;
/// Slices that are looked at for what they say beside the ones before them.
pub const SLICE_SEARCH_CANDIDATES_MAX: usize = 300;
/// Columns that are looked at one by one for giving the target away when a model is judged.
pub const LEAKAGE_COLUMNS_MAX: usize = 1_000;
/// Fewer judged rows than these say little.
pub const SMALL_SAMPLE_ROWS: u64 = 30;
/// The same of one class.
pub const SMALL_SAMPLE_CLASS_ROWS: u64 = 10;
