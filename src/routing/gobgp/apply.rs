//! From plan to gobgpd: list, compare, call, list again.
//!
//! The order keeps what is announced true at every moment: withdrawals first, then the policies that new paths
//! need, the paths, the peers that hear them, and at last the policies that nothing needs any more. A call that is
//! refused does not hold up the others.

use super::Gobgp;
use super::client::{CallError, Version};
use super::have::{self, EXPORT, GLOBAL, Have, IMPORT, Paths};
use super::path::{self, Said};
use super::peer::{self, Step};
use super::policy::{Names, OURS, Policies};
use super::proto::*;
use super::respect::{is_the_operators, respect};
use super::view::{View, view};
use crate::model::bgp::{Community, GracefulRestart};
use crate::model::net::HostRoute;
use crate::plan::RoutingPlan;
use crate::routing::{Applied, ApplyError};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// BGP's own (RFC 4271 §8), also for peers that connect to us.
const LISTEN_PORT: i32 = 179;

/// Paths in one message of a stream: enough for the calls to cost nothing, little enough for a message to be small.
const PATHS_A_MESSAGE: usize = 500;

impl Gobgp {
    pub(super) async fn bring_to(&mut self, plan: &RoutingPlan) -> Result<Applied, ApplyError> {
        let outcome = self.try_bring_to(plan).await;
        if outcome.is_err() {
            self.paths.forget();
        }
        outcome
    }

    async fn try_bring_to(&mut self, plan: &RoutingPlan) -> Result<Applied, ApplyError> {
        let version = self.client.version().await?;
        let have = have::read(&mut self.client).await?;
        if !have.started() && *plan == RoutingPlan::default() {
            return Ok(Applied::default());
        }
        match have.started() {
            true => self.paths.refresh(&mut self.client).await?,
            false => self.paths = Paths::default(),
        }
        let mut wanted = plan.clone();
        keep_restarting(&mut wanted, &have);
        let conflicts = respect(&mut wanted, &have, &self.paths);
        let mut view = view(&wanted, version);
        let guarded = match view.paths.is_empty() {
            true => Ok(()),
            false => self.guard.ensure().await,
        };
        if guarded.is_err() {
            // What is announced goes on: whoever ended the guard has not ended the agent.
            view.paths.retain(|route, _| self.paths.ours.contains_key(route));
        }
        let mut refused = conflicts.networks;
        refused.append(&mut view.refused);
        let mut pass = Pass { gobgp: self, version, changes: 0, trouble: None };
        pass.run(have, &view).await?;
        let Pass { changes, trouble, .. } = pass;
        let facing = wanted.speaker.as_ref().map(|speaker| &speaker.facing);
        let own = |peer: IpAddr| facing?.get(&peer)?.same;
        let changes = changes + self.watched.keep(&wanted, own).await?;
        if let Some(trouble) = trouble {
            return Err(trouble.into());
        }
        guarded?;
        match conflicts.structure.or(view.unreached) {
            Some((line, answer)) => Err(ApplyError::Refused { line, answer }),
            None => Ok(Applied { changes, refused }),
        }
    }
}

/// A session bounces when graceful restart is switched, and one over which a departure goes must not. By the
/// time that it ends, everything has been withdrawn over it explicitly, which counts whatever was negotiated
/// (RFC 4724 §4.2).
fn keep_restarting(plan: &mut RoutingPlan, have: &Have) {
    let mut leaving = plan.announcements.values().map(|one| &one.attributes.communities);
    if !leaving.all(|communities| communities.contains(&Community::GRACEFUL_SHUTDOWN)) {
        return;
    }
    let ours = have.peers.values().filter(|peer| peer::is_ours(peer));
    let mut graceful = ours.filter_map(|peer| peer.graceful_restart.filter(|restart| restart.enabled));
    if let Some(speaker) = plan.speaker.as_mut().filter(|speaker| speaker.graceful_restart.is_none()) {
        let seconds = graceful.find_map(|restart| u16::try_from(restart.restart_time).ok());
        speaker.graceful_restart = seconds.map(|restart_seconds| GracefulRestart { restart_seconds });
    }
}

/// One walk through all that is to be done.
struct Pass<'a> {
    gobgp: &'a mut Gobgp,
    version: Version,
    changes: usize,
    /// The first call that was refused.
    trouble: Option<CallError>,
}

impl Pass<'_> {
    async fn run(&mut self, mut have: Have, view: &View) -> Result<(), ApplyError> {
        self.withdraw(view).await?;
        if let Some((asn, router_id)) = view.instance
            && self.instance(&have, asn, router_id.to_string()).await?
        {
            have = have::read(&mut self.gobgp.client).await?;
            self.gobgp.paths.forget();
            self.gobgp.paths.refresh(&mut self.gobgp.client).await?;
        }
        if !have.started() {
            return Ok(());
        }
        let names = match &view.policies {
            Some(policies) => self.policies(&have, policies).await?,
            None => None,
        };
        self.announce(view).await?;
        self.peers(&have, &view.peers).await?;
        self.settle(&have, names.as_ref()).await?;
        if self.changes > 0 && self.trouble.is_none() {
            self.read_back(view).await?;
        }
        Ok(())
    }

    /// Starts BGP, or starts it anew where it is ours and has another router id; says whether it did. The AS that
    /// it was started for does not matter to our peers, who have one of their own.
    async fn instance(&mut self, have: &Have, asn: u32, router_id: String) -> Result<bool, CallError> {
        let client = &mut self.gobgp.client;
        let (there, ours) = (have.started(), !is_the_operators(have, &self.gobgp.paths));
        if there && (have.global.router_id == router_id || !ours) {
            return Ok(false);
        }
        if there && self.version == Version::V4 {
            let answer = format!(
                "gobgpd has the router id {}, and its version 4 cannot start BGP a second time; restart gobgpd",
                have.global.router_id
            );
            return Err(CallError::Refused { call: "StartBgp", answer });
        }
        if there {
            client.stop_bgp(StopBgpRequest {}).await?;
        }
        let global = Some(Global { asn, router_id, listen_port: LISTEN_PORT });
        client.start_bgp(StartBgpRequest { global }).await?;
        self.changes += 1;
        Ok(true)
    }

    async fn withdraw(&mut self, view: &View) -> Result<(), CallError> {
        let ours = &self.gobgp.paths.ours;
        let gone: Vec<HostRoute> =
            ours.keys().filter(|route| !view.paths.contains_key(route)).copied().collect();
        self.stream(gone.iter().map(|route| path::withdrawal(*route)).collect()).await?;
        for route in &gone {
            self.gobgp.paths.ours.remove(route);
        }
        Ok(())
    }

    async fn announce(&mut self, view: &View) -> Result<(), CallError> {
        let ours = &self.gobgp.paths.ours;
        let missing = |(route, said): &(&HostRoute, &Said)| ours.get(route) != Some(said);
        let paths = view.paths.iter().filter(missing);
        let paths = paths.map(|(route, said)| path::announcement(*route, said)).collect();
        self.stream(paths).await
    }

    async fn stream(&mut self, paths: Vec<Path>) -> Result<(), CallError> {
        if paths.is_empty() {
            return Ok(());
        }
        self.changes += paths.len();
        self.gobgp.paths.forget();
        let table_type = self.version.number(0);
        let message = |some: &[Path]| AddPathStreamRequest { table_type, paths: some.to_vec() };
        let messages = paths.chunks(PATHS_A_MESSAGE).map(message).collect();
        let outcome = self.gobgp.client.add_path_stream(messages).await;
        self.go_on(outcome)
    }

    /// Puts our policies in front; returns their names.
    async fn policies(&mut self, have: &Have, wanted: &Policies) -> Result<Option<Names>, CallError> {
        if let Some(names) = in_force(have, wanted, self.version) {
            return Ok(Some(names));
        }
        let taken = |names: &Names| {
            let of_it = |name: &str| name.starts_with(&format!("{}-", names.0));
            have.policies.iter().any(|one| of_it(&one.name)) || have.sets.iter().any(|one| of_it(&one.name))
        };
        let mut attempts = (0..).map(|attempt| Names::new(&wanted.digest, attempt));
        let Some(names) = attempts.find(|names| !taken(names)) else { return Ok(None) };
        let client = &mut self.gobgp.client;
        for set in wanted.defined_sets(&names, self.version) {
            client.add_defined_set(AddDefinedSetRequest { defined_set: Some(set) }).await?;
        }
        for policy in wanted.policies(&names, self.version) {
            client.add_policy(AddPolicyRequest { policy: Some(policy) }).await?;
        }
        self.assign(have, Some(&names)).await?;
        self.changes += 1;
        Ok(Some(names))
    }

    /// Ours, and behind them what the operator has.
    async fn assign(&mut self, have: &Have, ours: Option<&Names>) -> Result<(), CallError> {
        for (direction, there) in [IMPORT, EXPORT].into_iter().zip(&have.assigned) {
            let first = ours.map(|names| if direction == IMPORT { names.import() } else { names.export() });
            let theirs = there.policies.iter().map(|policy| policy.name.clone());
            let theirs = theirs.filter(|name| !name.starts_with(OURS));
            let named = |name| Policy { name, statements: Vec::new() };
            let assignment = PolicyAssignment {
                name: GLOBAL.to_owned(),
                direction,
                policies: first.into_iter().chain(theirs).map(named).collect(),
                default_action: there.default_action,
            };
            let request = SetPolicyAssignmentRequest { assignment: Some(assignment) };
            self.gobgp.client.set_policy_assignment(request).await?;
        }
        Ok(())
    }

    async fn peers(&mut self, have: &Have, wanted: &BTreeMap<IpAddr, Peer>) -> Result<(), CallError> {
        for (address, peer) in have.peers.iter().filter(|(_, peer)| peer::is_ours(peer)) {
            let step = wanted.get(address).map(|wanted| peer::step(peer, wanted));
            let outcome = match (step, wanted.get(address)) {
                (Some(Step::Nothing), _) => continue,
                (Some(Step::Timers), Some(wanted)) => {
                    let request = UpdatePeerRequest { peer: Some(wanted.clone()) };
                    self.gobgp.client.update_peer(request).await
                }
                (Some(Step::Anew) | None, _) | (_, None) => {
                    self.gobgp.client.delete_peer(DeletePeerRequest { address: address.to_string() }).await
                }
            };
            self.changes += 1;
            self.go_on(outcome.map(drop))?;
        }
        let there = have::peers(&mut self.gobgp.client, false).await?;
        for (_, peer) in wanted.iter().filter(|(address, _)| !there.contains_key(address)) {
            let outcome = self.gobgp.client.add_peer(AddPeerRequest { peer: Some(peer.clone()) }).await;
            self.changes += 1;
            self.go_on(outcome.map(drop))?;
        }
        Ok(())
    }

    /// Removes policies of ours that are not in force any more, and has the new ones looked at for what is
    /// announced already.
    async fn settle(&mut self, have: &Have, in_force: Option<&Names>) -> Result<(), CallError> {
        let stays = |name: &str| in_force.is_some_and(|names| name.starts_with(&format!("{}-", names.0)));
        let assigned = have.assigned.iter().flat_map(|one| &one.policies);
        if in_force.is_none() && assigned.clone().any(|policy| policy.name.starts_with(OURS)) {
            self.assign(have, None).await?;
            self.changes += 1;
        } else if in_force.is_some_and(|names| !assigned.clone().any(|one| one.name == names.export())) {
            let ours = have.peers.iter().filter(|(_, peer)| peer::is_ours(peer));
            for (address, _) in ours {
                let (address, direction) = (address.to_string(), self.version.number(1));
                let request = ResetPeerRequest { address, soft: true, direction, ..Default::default() };
                // A session that is not up has nothing to look at.
                let _ = self.gobgp.client.reset_peer(request).await;
            }
        }
        for policy in have.policies.iter().filter(|policy| !stays(&policy.name)) {
            let request = DeletePolicyRequest { policy: Some(policy.clone()), all: true };
            let outcome = self.gobgp.client.delete_policy(request).await;
            self.changes += 1;
            self.go_on(outcome.map(drop))?;
        }
        for set in have.sets.iter().filter(|set| !stays(&set.name)) {
            let request = DeleteDefinedSetRequest { defined_set: Some(set.clone()), all: true };
            let outcome = self.gobgp.client.delete_defined_set(request).await;
            self.changes += 1;
            self.go_on(outcome.map(drop))?;
        }
        Ok(())
    }

    /// Remembers what was refused, and goes on with the rest.
    fn go_on(&mut self, outcome: Result<(), CallError>) -> Result<(), CallError> {
        match outcome {
            Err(refused @ CallError::Refused { .. }) => {
                self.trouble.get_or_insert(refused);
                Ok(())
            }
            other => other,
        }
    }

    async fn read_back(&mut self, view: &View) -> Result<(), ApplyError> {
        let gobgp = &mut *self.gobgp;
        gobgp.paths.refresh(&mut gobgp.client).await?;
        let differs = |(route, said): &(&HostRoute, &Said)| gobgp.paths.ours.get(route) != Some(said);
        if let Some((route, said)) = view.paths.iter().find(differs) {
            let found = gobgp.paths.ours.get(route);
            return Err(ApplyError::ReadBack(format!("{route} should say {said:?} and says {found:?}")));
        }
        if let Some(route) = gobgp.paths.ours.keys().find(|route| !view.paths.contains_key(route)) {
            return Err(ApplyError::ReadBack(format!("{route} is still there")));
        }
        let peers = have::peers(&mut gobgp.client, false).await?;
        let differs = |(address, wanted): &(&IpAddr, &Peer)| {
            peers.get(address).is_none_or(|have| peer::step(have, wanted) != Step::Nothing)
        };
        match view.peers.iter().find(differs) {
            Some((address, _)) => {
                Err(ApplyError::ReadBack(format!("neighbor {address} is not as it was written")))
            }
            None => Ok(()),
        }
    }
}

/// The names under which exactly these policies are in front and whole.
fn in_force(have: &Have, wanted: &Policies, version: Version) -> Option<Names> {
    let [import, export] = &have.assigned;
    let first = export.policies.first()?.name.strip_suffix("-export")?;
    let names = Names(first.to_owned());
    let whole = |policy: &Policy| {
        let there = have.policies.iter().find(|one| one.name == policy.name);
        there.is_some_and(|one| one.statements.len() == policy.statements.len())
    };
    let full = |set: &DefinedSet| {
        let there = have.sets.iter().find(|one| one.name == set.name);
        there.is_some_and(|one| one.list.len() == set.list.len())
    };
    let current = first.starts_with(&format!("{OURS}{}-", wanted.digest))
        && import.policies.first().is_some_and(|policy| policy.name == names.import())
        && wanted.policies(&names, version).iter().all(whole)
        && wanted.defined_sets(&names, version).iter().all(full);
    current.then_some(names)
}
