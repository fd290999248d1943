//! From plan to daemons: render, compare, send what differs, read back.
//!
//! Each step stands for itself. A prefix that bgpd refuses leaves the others in; a refused line of a map, a
//! profile or a neighbour takes back that object's other lines, so that no half of it stays. What names an
//! object goes before the object, what it names comes before it.

use super::batch::{Batch, Refusal, redact};
use super::diff::{Phase, Step, steps};
use super::home::Home;
use super::parse::{Config, Object};
use super::respect::{Conflicts, respect};
use super::view::ospf::Hosts;
use super::view::view;
use super::{Frr, ospf, startup};
use crate::model::net::HostRoute;
use crate::plan::RoutingPlan;
use crate::routing::{Applied, ApplyError};
use std::collections::BTreeMap;
use std::io;

/// What the steps led to.
#[derive(Debug, Default)]
struct Outcome {
    changes: usize,
    networks: BTreeMap<HostRoute, String>,
    structure: Option<(String, String)>,
}

/// Daemons that something is for and that do not answer.
type Absent = BTreeMap<Home, io::Error>;

impl Frr {
    pub(super) async fn bring_to(&mut self, plan: &RoutingPlan) -> Result<Applied, ApplyError> {
        let text = self.renderer.render(&view(plan));
        let mut want = Config::parse(&text);
        self.routes = Some(plan.routes().collect());
        self.needed = Some(want.objects.keys().map(Home::of).collect());

        let (before, mut absent) = self.read().await?;
        self.unchecked_networks = before.foreign.unchecked_networks;
        let mut conflicts = respect(&mut want, &before);
        conflicts.networks.extend(plan.ospf.iter().flat_map(|ospf| Hosts::of(ospf).refused));
        want.objects.retain(|object, _| !absent.contains_key(&Home::of(object)));
        let outcome = self.take(&steps(&before, &want), &before, conflicts).await?;
        self.refused = outcome.networks.clone();
        if outcome.changes > 0 {
            self.compare(&want, &outcome).await?;
        } else {
            self.keep_up(&before, &want).await;
        }
        self.startup_trouble = self.keep_startup_file(text).await;
        match (outcome.structure, absent.pop_first()) {
            (Some((line, answer)), _) => Err(ApplyError::Refused { line, answer }),
            (None, Some((_, error))) => Err(ApplyError::NotAnswering(error)),
            (None, None) => Ok(Applied { changes: outcome.changes, refused: outcome.networks }),
        }
    }

    /// What of ours the daemons have. One that does not answer keeps nothing but its own from going in: its error
    /// is returned beside what the others have. Without bgpd there is no BGP, and nothing is done.
    pub(super) async fn read(&mut self) -> Result<(Config, Absent), ApplyError> {
        let (mut config, mut absent) = (Config::default(), Absent::new());
        for home in Home::ALL {
            let needed = self.needs(home);
            if !needed && !self.daemon(home).exists() {
                continue;
            }
            match self.daemon(home).ask("show running-config").await {
                Ok(answer) => config.add(Config::parse(&answer.text), home),
                Err(error) if needed && home == Home::Bgpd => return Err(ApplyError::NotAnswering(error)),
                Err(error) if needed => drop(absent.insert(home, error)),
                Err(_) => {}
            }
        }
        Ok((config, absent))
    }

    /// What no configuration shows.
    async fn keep_up(&mut self, before: &Config, want: &Config) {
        if let Err(error) = self.keep_in_sight(before).await {
            // A zebra that does not answer is told of by `observe`; the next round tries again.
            tracing::debug!(%error, "zebra cannot be asked what it tells bgpd");
        }
        if let Err(error) = self.remind(want).await {
            tracing::debug!(%error, "ospf6d cannot be reminded of its prefix list");
        }
    }

    async fn take(
        &mut self,
        steps: &[Step],
        before: &Config,
        conflicts: Conflicts,
    ) -> Result<Outcome, ApplyError> {
        let mut outcome =
            Outcome { changes: 0, networks: conflicts.networks, structure: conflicts.structure };
        let sweeping = steps.partition_point(|step| step.phase < Phase::Sweep);
        let announcing = steps.partition_point(|step| step.phase < Phase::Announce);
        let withdrawn = steps.partition_point(|step| step.phase <= Phase::Withdraw);
        self.take_some(&steps[..withdrawn], before, &mut outcome).await?;
        self.take_some(&steps[withdrawn..announcing], before, &mut outcome).await?;
        self.take_some(&steps[announcing..sweeping], before, &mut outcome).await?;
        // What was refused may still hang on the old maps.
        if outcome.structure.is_none() && outcome.networks.is_empty() {
            self.take_some(&steps[sweeping..], before, &mut outcome).await?;
        }
        Ok(outcome)
    }

    async fn take_some(
        &mut self,
        steps: &[Step],
        before: &Config,
        outcome: &mut Outcome,
    ) -> Result<(), ApplyError> {
        let mut broken = Vec::new();
        let refusals = self.send(steps).await?;
        let lines: usize = steps.iter().map(|step| step.lines.len()).sum();
        outcome.changes += lines.saturating_sub(refusals.len());
        for refusal in refusals {
            let Refusal { step, line, answer } = refusal;
            match step.map(|step| &steps[step].object) {
                Some(Object::Network(_, route) | Object::Prefix(route)) => {
                    outcome.networks.insert(*route, answer);
                }
                object => {
                    outcome.structure.get_or_insert((line, answer));
                    broken.extend(object.cloned());
                }
            }
        }
        self.take_back(&broken, before).await
    }

    /// Brings `objects` back to what they were `before`.
    async fn take_back(&mut self, objects: &[Object], before: &Config) -> Result<(), ApplyError> {
        if objects.is_empty() {
            return Ok(());
        }
        let (now, _) = self.read().await?;
        let back: Vec<Step> =
            steps(&now, before).into_iter().filter(|step| objects.contains(&step.object)).collect();
        match self.send(&back).await?.into_iter().next() {
            None => Ok(()),
            Some(Refusal { line, answer, .. }) => Err(ApplyError::ReadBack(format!(
                "a refused change cannot be taken back: {line:?}: {answer}"
            ))),
        }
    }

    /// Sends the steps to the daemons that they concern, in order.
    pub(super) async fn send(&mut self, steps: &[Step]) -> Result<Vec<Refusal>, ApplyError> {
        let mut refusals = Vec::new();
        let mut sent = 0;
        for run in steps.chunk_by(|a, b| Home::of(&a.object) == Home::of(&b.object)) {
            let home = Home::of(&run[0].object);
            let mut batch = Batch::of(run);
            if run.iter().any(|step| ospf::is_unheard_of(&step.object)) {
                batch.say_again(&ospf::REMINDER);
            }
            let answers = self.daemon(home).send(&batch.commands).await.map_err(ApplyError::NotAnswering)?;
            let numbered = |mut refusal: Refusal| {
                refusal.step = refusal.step.map(|step| step + sent);
                refusal
            };
            refusals.extend(batch.refusals(&answers).into_iter().map(numbered));
            sent += run.len();
        }
        Ok(refusals)
    }

    /// Reads back; what was refused, and what therefore was not swept, is known to differ.
    async fn compare(&mut self, want: &Config, outcome: &Outcome) -> Result<(), ApplyError> {
        if outcome.structure.is_some() {
            return Ok(());
        }
        let (after, _) = self.read().await?;
        let known = |step: &Step| match &step.object {
            Object::Network(_, route) | Object::Prefix(route) => outcome.networks.contains_key(route),
            _ => step.phase == Phase::Sweep && !outcome.networks.is_empty(),
        };
        match steps(&after, want).iter().find(|step| !known(step)).and_then(|step| step.lines.first()) {
            None => Ok(()),
            Some(line) => Err(ApplyError::ReadBack(format!("still to do: {:?}", redact(&line.text)))),
        }
    }

    async fn keep_startup_file(&self, text: String) -> Option<String> {
        let path = self.options.startup_config.clone()?;
        let kept = tokio::task::spawn_blocking(move || startup::keep(&path, &text)).await;
        kept.unwrap_or_else(|error| Some(error.to_string()))
    }
}
