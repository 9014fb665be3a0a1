//! How answers follow single columns and pairs of them.

use anyhow::Result;
use rayon::prelude::*;

use crate::base::limits::{EXPLAIN_CURVES, EXPLAIN_INTERACTION_COLUMNS, EXPLAIN_POINTS};
use crate::base::talk::Unit;
use crate::models::explain::dependence::dependence;
use crate::models::explain::effects::effects;
use crate::models::explain::grid::grid;
use crate::models::explain::interactions;
use crate::models::explain::linear::{linear_effect, of_package};
use crate::ops::explain::Subject;
use crate::ops::explain::budget::budget;
use crate::ops::explain::columns::{Chosen, Entry};
use crate::ops::explain::contribution::spread;
use crate::record::explanation::Interaction;

/// Measures dependence, local effects and, for linear models, effects of units of the most important columns.
pub fn measure(subject: &Subject<'_>, chosen: &mut Chosen, notes: &mut Vec<String>) -> Result<()> {
    let (all, count) = (chosen.entries.len(), chosen.entries.len().min(subject.options.top));
    let progress = subject.ctx.talk.start("varying columns", Some(count as u64), Unit::Items);
    let (ground, model) = (subject.ground, &subject.model);
    chosen.entries[..count].par_iter_mut().try_for_each(|entry| -> Result<()> {
        let Entry { place, column } = entry;
        let points = grid(&ground.frame.columns()[*place].values, column.column_type, EXPLAIN_POINTS);
        column.dependence = Some(dependence(&ground.frame, *place, &points, EXPLAIN_CURVES, model)?);
        match effects(&ground.frame, *place, EXPLAIN_POINTS, model)? {
            Ok(found) => column.effects = Some(found),
            Err(why) => column.effects_left_out = Some(why),
        }
        if of_package(subject.package).is_some() {
            let at = (*place, column.column_type);
            column.linear = Some(linear_effect(subject.package, &ground.frame, at, EXPLAIN_POINTS)?);
        }
        progress.advance(1);
        Ok(())
    })?;
    if count < all {
        notes.push(format!(
            "dependence is measured for the {count} most important of {all} columns; --top asks for more"
        ));
    }
    Ok(())
}

/// Measures the interactions of the most important columns, if asked for; the strongest first.
pub fn interactions(subject: &Subject<'_>, chosen: &mut Chosen, notes: &mut Vec<String>) -> Result<Vec<Interaction>> {
    if !subject.options.interactions || chosen.entries.len() < 2 {
        return Ok(Vec::new());
    }
    let frame = &subject.ground.frame;
    let rows = spread(frame.rows(), budget(subject.package).interaction_rows);
    // By contributions: a column that acts through others alone may show none when it is shuffled.
    let mut order: Vec<usize> = (0..chosen.entries.len()).collect();
    let size = |place: usize| chosen.entries[place].column.contribution.unwrap_or(0.0);
    order.sort_by(|a, b| size(*b).total_cmp(&size(*a)));
    order.truncate(EXPLAIN_INTERACTION_COLUMNS);
    let (count, all) = (order.len(), chosen.entries.len());
    let among = if count < all {
        format!("the {count} of {all} columns that contribute most")
    } else {
        "all columns".to_owned()
    };
    notes.push(format!("interactions are measured among {among}, on {} rows", rows.len()));
    let places: Vec<usize> = order.iter().map(|&place| chosen.entries[place].place).collect();
    let some = frame.take(&rows);
    let (pairs, overall) = interactions::interactions(&some, &places, &subject.model)?;
    for (&place, h2) in order.iter().zip(overall) {
        chosen.entries[place].column.interaction = Some(h2);
    }
    let name = |place: usize| frame.columns()[place].name.to_string();
    let mut found: Vec<Interaction> = pairs
        .into_iter()
        .map(|pair| Interaction {
            a: name(pair.columns.0),
            b: name(pair.columns.1),
            h2: pair.h2,
            strength: pair.strength,
        })
        .collect();
    found.sort_by(|a, b| b.strength.total_cmp(&a.strength));
    Ok(found)
}
