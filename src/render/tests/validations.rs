//! One validation in every language.

use crate::base::limits::MARKDOWN_CHARACTERS_MAX;
use crate::quality::report::Finding;
use crate::record::evaluation::Verdict;
use crate::render::document::DocumentKind;
use crate::render::tests::{VOID, sample, validation, well_formed};
use crate::render::validation::document;
use crate::render::validation::github::github;
use crate::render::validation::html::html;
use crate::render::validation::junit::junit;
use crate::render::validation::markdown::markdown;
use crate::spec::schema::Severity;

#[test]
fn markdown_for_a_comment() {
    let (findings, schema) = sample();
    let text = markdown(&validation(&findings, &schema)).replace('\u{200b}', "");
    insta::assert_snapshot!(text, @r##"
## ❌ penguins&#64;v3 is not valid

**2 errors**, **1 warning**, 1 note in 344 rows, against schema.toml.

| severity | check | column | observed | expected | rows |
|---|---|---|---|---|---|
| 🔴 error | FEATURE_TYPE_HIGH_VALUE | body_mass_g | 2 of 344 rows (0.58 %) | at most 6,500 | 17 (6600), 90 (9e9) |
| 🔴 error | ENUM_TYPE_UNEXPECTED_STRING_VALUES | isl&#124;and | &#60;script&#62;alert(1)&#60;/script&#62; &#124; &#96;x&#96; &#64;everyone | 100%: "Biscoe", a | 3 (&#92;u1&#60;b&#62;&#38;&#92;u202e), … |
| 🟠 warning | COMPARATOR_L_INFTY_HIGH | sex | distance 0.21 | at most 0.1 |  |
| 🔵 info | DATASET_LOW_NUM_EXAMPLES |  | 344 rows |  |  |

<details><summary>How to settle them</summary>

- FEATURE_TYPE_HIGH_VALUE of body_mass_g: raise <code>max</code> in schema.toml, or run <code>mlops validate --accept FEATURE_TYPE_HIGH_VALUE:body_mass_g</code>

</details>
"##);
}

#[test]
fn annotations_for_github() {
    let (findings, schema) = sample();
    insta::assert_snapshot!(github(&validation(&findings, &schema)), @r##"
::error file=schema.toml,line=4,title=FEATURE_TYPE_HIGH_VALUE body_mass_g::penguins@v3: 2 of 344 rows (0.58 %25); expected at most 6,500%0Arows: 17 (6600), 90 (9e9)%0Araise `max` in schema.toml, or run `mlops validate --accept FEATURE_TYPE_HIGH_VALUE:body_mass_g`
::error file=schema.toml,line=8,title=ENUM_TYPE_UNEXPECTED_STRING_VALUES isl|and::penguins@v3: <script>alert(1)</script>%0A| `x` @everyone; expected 100%25: "Biscoe", a%0Arows: 3 (\u{1}<b>&\u{202e}), …
::warning file=schema.toml,line=12,title=COMPARATOR_L_INFTY_HIGH sex::penguins@v3: distance 0.21; expected at most 0.1
::notice file=schema.toml,title=DATASET_LOW_NUM_EXAMPLES::penguins@v3: 344 rows
::notice title=mlops validate::penguins@v3: fail, 4 findings in 344 rows
"##);
}

#[test]
fn junit_for_build_servers() {
    let (findings, schema) = sample();
    let text = junit(&validation(&findings, &schema));
    well_formed(&text, &[]);
    insta::assert_snapshot!(text, @r##"
<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="mlops validate" tests="4" failures="2" errors="0" skipped="1">
  <testsuite name="penguins@v3" tests="4" failures="2" errors="0" skipped="1">
    <properties>
      <property name="rows" value="344"/>
      <property name="verdict" value="fail"/>
      <property name="findings" value="4"/>
    </properties>
    <testcase classname="schema.toml" name="FEATURE_TYPE_HIGH_VALUE:body_mass_g">
      <failure type="FEATURE_TYPE_HIGH_VALUE" message="2 of 344 rows (0.58 %); expected at most 6,500">severity: error
rule: max = 6500.0
observed: 2 of 344 rows (0.58 %)
expected: at most 6,500
2 rows, first: 17 (6600), 90 (9e9)
to settle it: raise `max` in schema.toml, or run `mlops validate --accept FEATURE_TYPE_HIGH_VALUE:body_mass_g`</failure>
    </testcase>
    <testcase classname="schema.toml" name="ENUM_TYPE_UNEXPECTED_STRING_VALUES:isl|and">
      <failure type="ENUM_TYPE_UNEXPECTED_STRING_VALUES" message="&lt;script&gt;alert(1)&lt;/script&gt;&#10;| `x` @everyone; expected 100%: &quot;Biscoe&quot;, a">severity: error
rule: domain
observed: &lt;script&gt;alert(1)&lt;/script&gt;
| `x` @everyone
expected: 100%: &quot;Biscoe&quot;, a
60 rows, first: 3 (\u{1}&lt;b&gt;&amp;\u{202e})</failure>
    </testcase>
    <testcase classname="schema.toml" name="COMPARATOR_L_INFTY_HIGH:sex">
      <skipped message="distance 0.21; expected at most 0.1"/>
      <system-out>severity: warning
rule: drift_max = 0.1
observed: distance 0.21
expected: at most 0.1</system-out>
    </testcase>
    <testcase classname="schema.toml" name="DATASET_LOW_NUM_EXAMPLES">
      <system-out>severity: info
observed: 344 rows</system-out>
    </testcase>
  </testsuite>
</testsuites>
"##);
}

#[test]
fn warnings_fail_when_asked_to() {
    let (findings, schema) = sample();
    let mut of = validation(&findings, &schema);
    of.fail_on = Severity::Warning;
    assert!(junit(&of).contains("tests=\"4\" failures=\"3\" errors=\"0\" skipped=\"0\""));
    assert_eq!(github(&of).matches("::error ").count(), 3);
}

#[test]
fn nothing_found_is_said() {
    let mut of = validation(&[], "");
    of.verdict = Verdict::Pass;
    assert!(markdown(&of).starts_with("## ✅ penguins&#64;\u{200b}v3 is valid\n\nNo findings in 344 rows"));
    assert!(junit(&of).contains("<testcase classname=\"schema.toml\" name=\"schema\"/>"));
    assert_eq!(github(&of), "::notice title=mlops validate::penguins@v3: pass, 0 findings in 344 rows\n");
    let page = html(&of);
    well_formed(&page, VOID);
    assert!(page.contains("every check of the schema holds") && page.contains("Valid"));
}

#[test]
fn the_page_holds_everything_and_nothing_else() {
    let (findings, schema) = sample();
    let mut of = validation(&findings, &schema);
    of.against = Some("penguins@v1");
    let page = html(&of);
    well_formed(&page, VOID);
    assert_eq!(page.matches("<script").count(), 1);
    for word in [
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "First 1 of 60 rows",
        "<tr><th>17</th><td><code>6600</code></td></tr>",
        "<code>mlops validate --accept FEATURE_TYPE_HIGH_VALUE:body_mass_g</code>",
        "female: 70 %, before 50 %",
        "data-severity=\"info\"",
        "<b>penguins@v1</b>",
    ] {
        assert!(page.contains(word), "{word} is not in the page");
    }
}

#[test]
fn long_lists_are_folded_and_then_cut() {
    let finding = |index: usize| {
        let mut finding = Finding::new("SCHEMA_NEW_COLUMN", Severity::Warning, Some(&format!("column_{index}")));
        finding.observed = "x".repeat(200);
        finding
    };
    let some: Vec<Finding> = (0..12).map(finding).collect();
    let text = markdown(&validation(&some, ""));
    assert!(text.contains("<details><summary>2 more findings</summary>\n\n| severity"), "{text}");
    let many: Vec<Finding> = (0..5_000).map(finding).collect();
    let text = markdown(&validation(&many, ""));
    assert!(text.chars().count() <= MARKDOWN_CHARACTERS_MAX);
    assert!(text.contains("more findings did not fit") && text.contains("4,990 more findings"));
    let page = html(&validation(&many, ""));
    assert!(page.contains("The first 2,000 of 5,000 findings are shown"));
}

#[test]
fn json_is_the_report() {
    let (findings, schema) = sample();
    let text = document(&validation(&findings, &schema), DocumentKind::Json);
    let value: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    assert_eq!(value["verdict"], "fail");
    assert_eq!(value["findings"].as_array().map(Vec::len), Some(4));
    assert_eq!(value["findings"][1]["observed"], "<script>alert(1)</script>\n| `x` @everyone");
}
