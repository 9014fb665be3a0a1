//! The page about an evaluation: verdict first, then how good, against whom, on whom, and how it was measured.

use crate::record::evaluation::ClassPlots;
use crate::render::escape::{markup, shortened};
use crate::render::evaluation::curves::{CURVES, legend, plot};
use crate::render::evaluation::{EvaluationDocument, comparison, confusion, histograms, label, measures, name, parts};
use crate::render::page;

/// Characters of the title.
const TITLE: usize = 80;

/// The page, one file.
pub fn html(document: &EvaluationDocument<'_>) -> String {
    let model = shortened(document.model, TITLE);
    let head = format!(
        "<p class=\"kicker\">Evaluation</p>\n<h1>{}</h1>\n<p class=\"lead\">on {}</p>\n{}{}",
        name(&model),
        markup(&shortened(&document.rows_words(), 2 * TITLE)),
        measures::verdict(document),
        measures::tiles(document)
    );
    let body = format!("<main>\n{}{}{}</main>\n", sections(document), parts::importance(document), words(document));
    page::page(&format!("{model} · evaluation"), &head, &body)
}

/// Everything between the head and how it was measured, without importance: a model card holds it too.
pub fn sections(document: &EvaluationDocument<'_>) -> String {
    let of = document.judgement;
    [
        measures::gates(of),
        measures::findings(of),
        measures::metrics(document),
        comparison::comparison(document),
        classes(document),
        numbers(document),
        parts::slices(document),
        parts::facets(document),
        parts::robustness(document),
        parts::costs(document),
    ]
    .concat()
}

fn panel(title: &str, about: &str, picture: &str) -> String {
    format!("<div class=\"panel\"><h3>{title}</h3><p>{about}</p><figure>{picture}</figure></div>")
}

/// Pictures of answers that are classes.
fn classes(document: &EvaluationDocument<'_>) -> String {
    let of = document.judgement;
    let classes = &of.plots.classes;
    let mut panels: Vec<String> =
        of.confusion.as_ref().filter(|of| !of.classes.is_empty()).map(confusion::panel).into_iter().collect();
    let [roc, recall, gain, lift] =
        CURVES.each_ref().map(|curve| plot(curve, classes).map(|picture| panel(curve.title, curve.about, &picture)));
    let calibration = histograms::calibration(classes).map(|picture| {
        let counts = if classes.len() == 1 { " Below, how many rows each bin has." } else { "" };
        let about = format!(
            "How often the class comes true against the probability predicted: on the line, both are the same.{counts}"
        );
        panel("Calibration", &about, &picture)
    });
    let scores = match classes.as_slice() {
        [only] => scores(only).map(|picture| panel("Scores", &score_words(only), &picture)),
        many => details(many),
    };
    panels.extend([roc, recall, calibration, scores, gain, lift].into_iter().flatten());
    match panels.is_empty() {
        true => String::new(),
        false => format!(
            "<h2 id=\"classes\">Answers</h2>\n{}<div class=\"pair\">{}</div>\n",
            legend(classes),
            panels.concat()
        ),
    }
}

fn scores(class: &ClassPlots) -> Option<String> {
    histograms::scores(class)
}

fn score_words(class: &ClassPlots) -> String {
    format!(
        "<span class=\"key\"><i></i>rows of {}</span><span class=\"key\"><i class=\"then\"></i>all others</span>",
        name(&class.class)
    )
}

/// Scores of several classes, folded but for the first.
fn details(classes: &[ClassPlots]) -> Option<String> {
    let pictures: Vec<String> = classes
        .iter()
        .filter_map(|class| Some((class, scores(class)?)))
        .enumerate()
        .map(|(at, (class, picture))| {
            let open = if at == 0 { " open" } else { "" };
            format!(
                "<details{open}><summary>{}</summary><p>{}</p><figure>{picture}</figure></details>",
                label(&class.class),
                score_words(class)
            )
        })
        .collect();
    (!pictures.is_empty()).then(|| format!("<div class=\"panel\"><h3>Scores</h3>{}</div>", pictures.concat()))
}

/// Pictures of answers that are numbers.
fn numbers(document: &EvaluationDocument<'_>) -> String {
    let Some(of) = &document.judgement.plots.numbers else {
        return String::new();
    };
    let shown = of.pairs.len();
    let panels: Vec<String> = [
        histograms::pairs(of).map(|picture| {
            let about = format!("{shown} rows; on the line, both are the same.");
            panel("Truth against prediction", &about, &picture)
        }),
        histograms::residuals(of).map(|picture| {
            panel("Residuals", "How far the truth lies above (right) or below (left) the prediction.", &picture)
        }),
        histograms::deciles(of).map(|picture| {
            panel("Calibration", "Mean truth against mean prediction of bins of equally many rows.", &picture)
        }),
    ]
    .into_iter()
    .flatten()
    .collect();
    match panels.is_empty() {
        true => String::new(),
        false => format!("<h2 id=\"numbers\">Answers</h2>\n<div class=\"pair\">{}</div>\n", panels.concat()),
    }
}

fn words(document: &EvaluationDocument<'_>) -> String {
    let items: String =
        parts::method(document).iter().map(|item| format!("<li>{}</li>", measures::sentence(item))).collect();
    format!("<h2 id=\"method\">How this was measured</h2>\n<ul class=\"words\">{items}</ul>\n")
}
