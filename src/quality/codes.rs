//! Every code that a finding may have, what it means, and what others call it.

use crate::quality::sense;

/// One code.
pub struct Code {
    /// The code.
    pub name: &'static str,
    /// What it says.
    pub meaning: &'static str,
    /// The expectation of Great Expectations or check of pandera that finds the same, where there is one.
    pub known_as: &'static str,
}

/// Every code that a finding may have: those of rules, of suspicions and of comparisons.
pub fn known() -> impl Iterator<Item = &'static str> + Clone {
    CODES.iter().map(|code| code.name).chain(sense::CODES.iter().map(|(code, _)| *code))
}

const fn code(name: &'static str, meaning: &'static str, known_as: &'static str) -> Code {
    Code { name, meaning, known_as }
}

/// All codes about tables and columns. Names in capitals that TensorFlow Data Validation has mean what they mean there.
pub const CODES: &[Code] = &[
    code("DATASET_LOW_NUM_EXAMPLES", "fewer rows than rows_min", "expect_table_row_count_to_be_between"),
    code("DATASET_HIGH_NUM_EXAMPLES", "more rows than rows_max", "expect_table_row_count_to_be_between"),
    code("COLUMN_COUNT_LOW", "fewer columns than columns_min", "expect_table_column_count_to_be_between"),
    code("COLUMN_COUNT_HIGH", "more columns than columns_max", "expect_table_column_count_to_be_between"),
    code("COLUMNS_OUT_OF_ORDER", "not in the order of the schema", "expect_table_columns_to_match_ordered_list"),
    code("SCHEMA_MISSING_COLUMN", "a required column is not there", "expect_column_to_exist"),
    code("SCHEMA_NEW_COLUMN", "a column that the schema does not name", "expect_table_columns_to_match_set; strict"),
    code("COLUMN_OUTSIDE_ENVIRONMENT", "a column that belongs to another environment", ""),
    code("FEATURE_TYPE_NOT_PRESENT", "no value at all", "expect_column_values_to_not_be_null; nullable"),
    code(
        "FEATURE_TYPE_LOW_FRACTION_PRESENT",
        "more missing than missing_max",
        "expect_column_values_to_not_be_null; nullable",
    ),
    code("FEATURE_TYPE_LOW_NUMBER_PRESENT", "fewer values than present_min", ""),
    code("UNEXPECTED_DATA_TYPE", "values of another type", "expect_column_values_to_be_of_type; dtype"),
    code("BOOL_TYPE_BIG_INT", "a number above 1 where true or false is wanted", "expect_column_values_to_be_of_type"),
    code("BOOL_TYPE_SMALL_INT", "a number below 0 where true or false is wanted", "expect_column_values_to_be_of_type"),
    code("BOOL_TYPE_UNEXPECTED_FLOAT", "a number that is neither 0 nor 1", "expect_column_values_to_be_of_type"),
    code("BOOL_TYPE_UNEXPECTED_STRING", "text that is neither true nor false", "expect_column_values_to_be_in_set"),
    code("INT_TYPE_NOT_INT_STRING", "text that is no whole number", "expect_column_values_to_be_of_type"),
    code("FLOAT_TYPE_STRING_NOT_FLOAT", "text that is no number", "expect_column_values_to_be_of_type"),
    code("INT_TYPE_SMALL_INT", "a whole number below min", "expect_column_values_to_be_between; ge, in_range"),
    code("INT_TYPE_BIG_INT", "a whole number above max", "expect_column_values_to_be_between; le, in_range"),
    code("FLOAT_TYPE_SMALL_FLOAT", "a number below min", "expect_column_values_to_be_between; ge, in_range"),
    code("FLOAT_TYPE_BIG_FLOAT", "a number above max", "expect_column_values_to_be_between; le, in_range"),
    code("TIME_TOO_EARLY", "a date or time stamp before min", "expect_column_values_to_be_between"),
    code("TIME_TOO_LATE", "a date or time stamp after max", "expect_column_values_to_be_between"),
    code("FLOAT_TYPE_HAS_NAN", "values that are not a number", ""),
    code("FLOAT_TYPE_HAS_INF", "infinite values", ""),
    code("ENUM_TYPE_UNEXPECTED_STRING_VALUES", "text outside domain", "expect_column_values_to_be_in_set; isin"),
    code("ENUM_TYPE_INVALID_UTF8", "text with characters that cannot be read", ""),
    code("DOMAIN_UNEXPECTED_VALUES", "numbers or dates outside domain", "expect_column_values_to_be_in_set; isin"),
    code("VALUE_FORBIDDEN", "values of not_in", "expect_column_values_to_not_be_in_set; notin"),
    code(
        "PATTERN_MISMATCH",
        "text that pattern does not match",
        "expect_column_values_to_match_regex(_list); str_matches",
    ),
    code("PATTERN_FORBIDDEN", "text that not_pattern matches", "expect_column_values_to_not_match_regex(_list)"),
    code("LENGTH_TOO_SHORT", "text shorter than length_min", "expect_column_value_lengths_to_be_between; str_length"),
    code("LENGTH_TOO_LONG", "text longer than length_max", "expect_column_value_lengths_to_be_between; str_length"),
    code(
        "DATE_FORMAT_MISMATCH",
        "text not written as date_format says",
        "expect_column_values_to_match_strftime_format, _be_dateutil_parseable",
    ),
    code("JSON_INVALID", "text that is no JSON", "expect_column_values_to_be_json_parseable"),
    code("JSON_SCHEMA_MISMATCH", "JSON that json_schema does not allow", "expect_column_values_to_match_json_schema"),
    code("SEMANTIC_MISMATCH", "text of another kind than semantic", ""),
    code("SEMANTIC_DOMAIN_UPDATE", "text of a kind that no rule names", ""),
    code("NOT_UNIQUE", "a value that an earlier row has", "expect_column_values_to_be_unique; unique"),
    code(
        "FEATURE_TYPE_LOW_UNIQUE",
        "fewer distinct values than unique_count",
        "expect_column_unique_value_count_to_be_between",
    ),
    code(
        "FEATURE_TYPE_HIGH_UNIQUE",
        "more distinct values than unique_count",
        "expect_column_unique_value_count_to_be_between",
    ),
    code("FEATURE_TYPE_NO_UNIQUE", "unique_count, and no value", "expect_column_unique_value_count_to_be_between"),
    code(
        "UNIQUE_SHARE_OUTSIDE",
        "distinct values as a share",
        "expect_column_proportion_of_unique_values_to_be_between",
    ),
    code("NOT_INCREASING", "a value that falls", "expect_column_values_to_be_increasing; is_monotonic"),
    code("NOT_DECREASING", "a value that rises", "expect_column_values_to_be_decreasing; is_monotonic"),
    code("Z_SCORE_HIGH", "farther from the mean than z_max", "expect_column_value_z_scores_to_be_less_than"),
    code("OUTLIERS", "outside Tukey's fences", ""),
    code("MEAN_OUTSIDE", "mean outside its bounds", "expect_column_mean_to_be_between"),
    code("MEDIAN_OUTSIDE", "median outside its bounds", "expect_column_median_to_be_between"),
    code("STD_OUTSIDE", "standard deviation outside its bounds", "expect_column_stdev_to_be_between"),
    code("SUM_OUTSIDE", "sum outside its bounds", "expect_column_sum_to_be_between"),
    code("SMALLEST_OUTSIDE", "smallest value outside its bounds", "expect_column_min_to_be_between"),
    code("LARGEST_OUTSIDE", "largest value outside its bounds", "expect_column_max_to_be_between"),
    code("QUANTILE_OUTSIDE", "a quantile outside its bounds", "expect_column_quantile_values_to_be_between"),
    code("MOST_COMMON_UNEXPECTED", "another most frequent value", "expect_column_most_common_value_to_be_in_set"),
    code(
        "VALUES_MISSING",
        "values of contains that do not occur",
        "expect_column_distinct_values_to_contain_set; with domain: _equal_set, _be_in_set",
    ),
    code("KL_DIVERGENCE_HIGH", "far from reference", "expect_column_kl_divergence_to_be_less_than"),
    code("CHI_SQUARED_P_LOW", "unlikely under reference", "expect_column_chisquare_test_p_value_to_be_greater_than"),
    code("KS_P_LOW", "unlikely under reference", "expect_column_bootstrapped_ks_test_p_value_to_be_greater_than"),
    code("STATS_NOT_AVAILABLE", "a bound for a statistic that has no value", ""),
    code("CONSTANT_COLUMN", "one value in every row", ""),
    code("DUPLICATE_ROWS", "rows that repeat an earlier one", "pandera unique over all columns"),
    code("KEY_MISSING", "no value in a key column", "expect_column_values_to_not_be_null"),
    code("DUPLICATE_KEY", "a key that an earlier row has", "expect_compound_columns_to_be_unique"),
    code("NEAR_DUPLICATE_KEY", "a key that differs in case or space", ""),
    code("NOT_UNIQUE_TOGETHER", "values that occur together twice", "expect_compound_columns_to_be_unique"),
    code(
        "ROW_RULE",
        "a [[rule]] that rows break",
        "expect_column_pair_values_to_be_equal, _a_to_be_greater_than_b, _to_be_in_set, expect_select_column_values_to_be_unique_within_record, expect_multicolumn_sum_to_equal; row_condition",
    ),
    code("TABLE_RULE", "a [[rule]] whose query returns rows", "unexpected_rows_expectation"),
    code("RULE_NOT_CHECKED", "a [[rule]] about a column that is not there", ""),
    code("COMPARATOR_CONTROL_DATA_MISSING", "nothing to compare with", ""),
    code("COMPARATOR_L_INFTY_HIGH", "drifted", ""),
    code("COMPARATOR_JENSEN_SHANNON_DIVERGENCE_HIGH", "drifted", ""),
    code("COMPARATOR_NORMALIZED_ABSOLUTE_DIFFERENCE_HIGH", "drifted", ""),
    code("COMPARATOR_LOW_NUM_EXAMPLES", "many fewer rows than before", ""),
    code("COMPARATOR_HIGH_NUM_EXAMPLES", "many more rows than before", ""),
    code("DATASET_DRIFT", "so many columns drifted that the table counts as another", ""),
    code("COLUMN_DRIFT", "a column whose distribution is another", "Evidently ValueDrift"),
    code("DRIFT_SMALL", "a difference that many rows prove and that is too small to matter", ""),
    code("MISSING_VALUES_DRIFT", "another share of missing values than before", ""),
];
