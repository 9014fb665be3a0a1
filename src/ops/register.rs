//! `register`: a trained model becomes a numbered version for ever, unless its gates failed, a server cannot answer with
//! it, or a hook refuses.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;

use crate::base::id::{ObjectId, RunId};
use crate::base::talk::Talk;
use crate::base::{fail, suggest};
use crate::ops::check::CheckReport;
use crate::ops::context::OpCtx;
use crate::ops::hooks::{self, Happening};
use crate::ops::promote::{self, Against, CHAMPION, against, check_force, told};
use crate::ops::recorded::{Done, recorded};
use crate::record::evaluation::{EvaluationRecord, Verdict};
use crate::repo::Repo;
use crate::repo::marks::{Expectation, VersionState};
use crate::repo::names;
use crate::repo::refs::{AliasTarget, Committed, ModelVersion, RefMove};
use crate::repo::resolve::ModelRef;

/// What to register, and as what.
#[derive(Clone, Debug, Default)]
pub struct RegisterOptions {
    /// The model; the newest trained one when absent.
    pub model: Option<String>,
    /// Name to register under.
    pub name: String,
    /// Alias that moves to the new version.
    pub alias: Option<String>,
    /// Alias that moves only when every gate passed.
    pub promote: Option<String>,
    /// A sentence kept with the version.
    pub note: Option<String>,
    /// Free words kept with the version, by name.
    pub tags: BTreeMap<String, String>,
    /// Registers a model whose gates failed, or moves an alias that the verdict speaks against; needs `reason`.
    pub force: bool,
    /// Why, for the audit log.
    pub reason: Option<String>,
    /// The evaluation that counts; the newest one of the model when absent.
    pub evaluation: Option<ObjectId>,
    /// Leaves out the check that a server answers with it.
    pub no_check: bool,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct RegisterReport {
    /// The run.
    pub run: RunId,
    /// Name of the model.
    pub name: String,
    /// Number of the version; none when refused.
    pub version: Option<u32>,
    /// The model: id of its package.
    pub id: ObjectId,
    /// State of the version; none when refused.
    pub state: Option<VersionState>,
    /// Whether this very package already was the newest version.
    pub unchanged: bool,
    /// Verdict of the evaluation that counted.
    pub verdict: Verdict,
    /// What the check of a server came to; none when it was left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check: Option<CheckReport>,
    /// Whether it was refused.
    pub refused: bool,
    /// Why, when refused or forced.
    pub reason: Option<String>,
    /// What to do about the refusal.
    #[serde(skip)]
    pub hint: Option<&'static str>,
    /// Where every alias of the model points now.
    pub aliases: BTreeMap<String, u32>,
}

/// Registers one model.
///
/// The steps: the verdict of its evaluation, what speaks against the aliases asked for, a server that answers with it, the
/// hooks, one transaction. Errors: unknown names; force without a reason; another process changed the model meanwhile.
pub fn register(repo: &Repo, options: &RegisterOptions, ctx: &OpCtx<'_>) -> Result<RegisterReport> {
    check_force(options.force, options.reason.as_deref())?;
    // Before the run of this verb exists, as `run:last` must not mean itself.
    let found = match &options.model {
        Some(text) => repo.resolve_model(text)?,
        None => repo.newest_model()?,
    };
    let outcome = recorded(repo, ctx, "register", |repo, work| {
        let judged = judged(repo, options, found.package)?;
        work.input("model", &found.label(), found.package)?;
        let wish = Wish::new(repo, options, &found, judged, ctx)?;
        let mut settled = wish.settle(repo)?;
        if settled.refused.is_none() {
            settled.ask(repo, &wish)?;
        }
        let yes = settled.refused.is_none();
        let moves = if yes { wish.moves(repo)? } else { Vec::new() };
        Ok(Done { value: (wish, settled), moves, yes })
    })?;
    let (wish, settled) = outcome.value;
    let made = outcome.committed.iter().find_map(|committed| match committed {
        Committed::Model { version, new } => Some((*version, *new)),
        _ => None,
    });
    if let Some((version, new)) = made {
        wish.tell(repo, version, new)?;
    }
    let version = made.map(|(version, _)| version);
    let known = repo.models()?.contains(&options.name);
    let (refused, hint) = settled.refused.unzip();
    Ok(RegisterReport {
        run: outcome.run,
        name: options.name.clone(),
        version,
        id: found.package,
        state: version.map(|version| repo.version_state(&options.name, version)).transpose()?,
        unchanged: made.is_some_and(|(_, new)| !new),
        verdict: wish.verdict,
        check: settled.check,
        refused: refused.is_some(),
        reason: refused.or(wish.reason.clone()),
        hint,
        aliases: if known { repo.aliases(&options.name)? } else { BTreeMap::new() },
    })
}

/// Model and name that the words of the command line mean; `default_name` where no name is given.
///
/// One word that could name a model is the NAME, and the newest trained model is meant; it is said. One that is nearly the
/// name of a registered model is taken for a slip.
pub fn read_words(
    repo: &Repo,
    (model, name): (Option<&str>, Option<&str>),
    default_name: String,
    talk: &dyn Talk,
) -> Result<(Option<String>, String)> {
    let (word, name) = match (model, name) {
        (None, name) => return Ok((None, name.map_or(default_name, str::to_owned))),
        (Some(model), Some(name)) => return Ok((Some(model.to_owned()), name.to_owned())),
        (Some(word), None) => (word, default_name),
    };
    let known = repo.models()?;
    let is_known = known.iter().any(|model| model == word);
    if !is_known && (names::check("model", word).is_err() || repo.resolve_model(word).is_ok()) {
        return Ok((Some(word.to_owned()), name));
    }
    if let Some(near) = suggest::nearest(word, known.iter().map(String::as_str)).filter(|_| !is_known) {
        return Err(fail::usage(format!("there is no model `{word}`"))
            .hint(format!(
                "did you mean `{near}`? For a new name say which model too: `mlops register run:last {word}`"
            ))
            .into());
    }
    talk.info(&format!("`{word}` is the name to register under; the newest trained model is meant"));
    Ok((None, word.to_owned()))
}

/// What is asked for, with what is known about it.
struct Wish<'a> {
    options: &'a RegisterOptions,
    ctx: &'a OpCtx<'a>,
    found: &'a ModelRef,
    evaluation: Option<ObjectId>,
    verdict: Verdict,
    /// Gates that failed, and why it is registered all the same.
    reason: Option<String>,
    /// Number of the newest version.
    newest: Option<u32>,
    /// The newest version, when it says the same.
    same: Option<u32>,
    /// State of that version.
    state: VersionState,
    /// Aliases that move, with the version each points at.
    aliases: Vec<(String, Option<u32>)>,
}

/// What was settled before anything is written.
#[derive(Default)]
struct Settled {
    /// Why it is refused, and what to do about it.
    refused: Option<(String, &'static str)>,
    check: Option<CheckReport>,
}

const TRAIN_BETTER: &str = "train a better model, or register it all the same with --force --reason \"WHY\"";
const JUDGE_FIRST: &str = "judge it with gates: `mlops evaluate --gate \"…\"`, or use --force --reason \"WHY\"";
const MEND: &str = "see `mlops serve --check`; --no-check leaves the check out";
const ASK_HOOK: &str = "the hook is a file of this clone: .mlops/hooks";

impl<'a> Wish<'a> {
    fn new(
        repo: &Repo,
        options: &'a RegisterOptions,
        found: &'a ModelRef,
        judged: Option<(ObjectId, EvaluationRecord)>,
        ctx: &'a OpCtx<'a>,
    ) -> Result<Wish<'a>> {
        let name = &options.name;
        names::check("model", name)?;
        options.alias.iter().chain(&options.promote).try_for_each(|alias| names::check_alias(alias))?;
        let verdict = judged.as_ref().map_or(Verdict::None, |(_, record)| record.counted_verdict());
        if judged.as_ref().is_some_and(|(_, record)| record.judgement.verdict != verdict) {
            ctx.talk.warn("the gates passed on rows that the model was fitted on, which counts as no verdict");
        }
        let reason = reason(judged.as_ref().map(|(_, record)| record), options);
        let evaluation = judged.map(|(id, _)| id);
        let newest = if repo.models()?.contains(name) { repo.model_versions(name)?.pop() } else { None };
        let wanted = ModelVersion {
            version: 0,
            package: found.package,
            model: found.model,
            evaluation,
            time: ctx.clock.now(),
            note: options.note.clone(),
            tags: options.tags.clone(),
        };
        let same = newest.as_ref().filter(|newest| newest.says_the_same(&wanted)).map(|newest| newest.version);
        let state = same.map_or(Ok(VersionState::Pending), |version| repo.version_state(name, version))?;
        let now = repo.aliases(name)?;
        let mut aliases: Vec<String> = options.alias.clone().into_iter().collect();
        match &options.promote {
            Some(alias) if verdict == Verdict::Pass => aliases.push(alias.clone()),
            Some(alias) if verdict == Verdict::None => {
                ctx.talk.warn(&format!("`{alias}` was not moved: the model has no gates that passed"));
            }
            Some(alias) => ctx.talk.warn(&format!("`{alias}` was not moved: gates failed")),
            None => {}
        }
        aliases.dedup();
        let aliases = aliases.into_iter().map(|alias| (now.get(&alias).copied(), alias)).map(|(at, a)| (a, at));
        let (newest, aliases) = (newest.map(|newest| newest.version), aliases.collect());
        Ok(Wish { options, ctx, found, evaluation, verdict, reason, newest, same, state, aliases })
    }

    /// Verdict, states and the check of a server.
    fn settle(&self, repo: &Repo) -> Result<Settled> {
        let (options, ctx) = (self.options, self.ctx);
        let mut settled = Settled::default();
        if self.verdict == Verdict::Fail && !options.force {
            settled.refused = Some((self.reason.clone().unwrap_or_default(), TRAIN_BETTER));
            return Ok(settled);
        }
        for (alias, _) in &self.aliases {
            let version = self.same.unwrap_or(self.newest.unwrap_or(0) + 1);
            let verdict = if alias == CHAMPION { self.verdict } else { Verdict::Pass };
            let why = match against(&options.name, version, alias, verdict, self.state) {
                Some(Against::Ever(why)) => why,
                Some(Against::UnlessForced(why)) if !options.force => why,
                _ => continue,
            };
            settled.refused = Some((format!("alias `{alias}`: {why}"), JUDGE_FIRST));
            return Ok(settled);
        }
        match (ctx.check, options.no_check, self.same) {
            (Some(check), false, None) => {
                let report = check(repo, self.found, ctx)?;
                let why = report.why.clone().filter(|_| !report.passed);
                settled.refused = why.map(|why| (format!("a server cannot answer with it: {why}"), MEND));
                settled.check = Some(report);
            }
            (Some(_), true, None) => ctx.talk.info("not checked with a server: --no-check"),
            _ => {}
        }
        Ok(settled)
    }

    fn happening(&self, version: u32) -> Happening {
        Happening {
            event: "register",
            command: "register",
            name: self.options.name.clone(),
            version: Some(version),
            id: Some(self.found.package),
            alias: None,
            from: self.newest,
            to: Some(version),
            reason: self.options.reason.clone(),
            verdict: self.verdict,
            state: self.state,
            forced: self.options.force,
        }
    }

    /// What hooks are told: the version if it is a new one, and each alias that moves.
    fn happenings(&self, version: u32, new: bool) -> Vec<Happening> {
        let moving = self.aliases.iter().filter(|(_, at)| *at != Some(version));
        let promotions = moving.map(|(alias, at)| {
            let alias = Some(alias.clone());
            Happening { event: "promote", alias, from: *at, id: None, ..self.happening(version) }
        });
        new.then(|| self.happening(version)).into_iter().chain(promotions).collect()
    }

    fn moves(&self, repo: &Repo) -> Result<Vec<RefMove>> {
        let (options, name) = (self.options, &self.options.name);
        let why = told(options.reason.as_deref(), options.force);
        let mut moves = Vec::new();
        let told_hooks = hooks::are_there(repo);
        // Only what somebody relied on has to stay as it was; else versions of several processes just follow each other.
        if told_hooks || self.same.is_some() {
            moves.push(RefMove::Expect(Expectation::Newest { model: name.clone(), version: self.newest }));
        }
        moves.push(RefMove::Model {
            name: name.clone(),
            package: self.found.package,
            model: self.found.model,
            evaluation: self.evaluation,
            note: options.note.clone(),
            tags: options.tags.clone(),
            reason: why.clone(),
        });
        let target = self.same.map_or(AliasTarget::NewVersion, AliasTarget::Version);
        for (alias, at) in &self.aliases {
            if told_hooks {
                let (model, alias) = (name.clone(), alias.clone());
                moves.push(RefMove::Expect(Expectation::Alias { model, alias, at: *at }));
            }
            moves.extend(promote::alias_moves(repo, name, alias, target, why.as_deref())?);
        }
        Ok(moves)
    }

    /// Tells the hooks what happened.
    fn tell(&self, repo: &Repo, version: u32, new: bool) -> Result<()> {
        let state = repo.version_state(&self.options.name, version)?;
        for happening in self.happenings(version, new) {
            hooks::after(repo, &Happening { state, ..happening }, self.ctx);
        }
        Ok(())
    }
}

impl Settled {
    /// Asks the hooks, until one refuses.
    fn ask(&mut self, repo: &Repo, wish: &Wish<'_>) -> Result<()> {
        let version = wish.same.unwrap_or(wish.newest.unwrap_or(0) + 1);
        for happening in wish.happenings(version, wish.same.is_none()) {
            if let Some(why) = hooks::before(repo, &happening, wish.ctx)? {
                self.refused = Some((why, ASK_HOOK));
                return Ok(());
            }
        }
        Ok(())
    }
}

/// The evaluation that counts: the one given, else the newest of this package.
fn judged(repo: &Repo, options: &RegisterOptions, package: ObjectId) -> Result<Option<(ObjectId, EvaluationRecord)>> {
    let id = match options.evaluation {
        Some(id) => Some(id),
        None => repo.newest_evaluation(&package)?,
    };
    id.map(|id| Ok((id, repo.record(&id)?))).transpose()
}

fn reason(evaluation: Option<&EvaluationRecord>, options: &RegisterOptions) -> Option<String> {
    let failed: Vec<String> = evaluation
        .iter()
        .flat_map(|record| &record.judgement.gates)
        .filter(|gate| gate.verdict == Verdict::Fail)
        .map(|gate| format!("`{}`: {}", gate.expression, gate.reason))
        .collect();
    match (failed.is_empty(), &options.reason) {
        (true, given) => given.clone(),
        (false, Some(given)) if options.force => Some(format!("forced: {given}; gates failed: {}", failed.join("; "))),
        (false, _) => Some(format!("gates failed: {}", failed.join("; "))),
    }
}
