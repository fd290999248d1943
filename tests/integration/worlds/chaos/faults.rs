//! What is done to nodes and the controller, for a while, and who may be missing in the router meanwhile.

use super::STEADY_ROUTE;
use super::plan::{Fault, UNNOTICED};
use crate::worlds::estate::Estate;
use novaedge_lab::{FibWatch, NodeId};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::{Duration, Instant};

/// Until a node that nothing ails any more is back. FRR tries a peer again after seconds.
const RECOVERY: Duration = Duration::from_secs(40);

/// What a node has withdrawn is for a while still in the router: FRR collects changes for some 60 ms at each end. So a
/// node may seem to be back before it is seen to be gone.
const UNDER_WAY: Duration = Duration::from_millis(500);

/// A fault from its beginning to the moment when the node was seen to be back.
#[derive(Debug, Clone)]
pub struct Trouble {
    pub node: NodeId,
    pub fault: Fault,
    pub lasts: Duration,
    pub from: Instant,
    pub until: Option<Instant>,
    undone: Option<Instant>,
}

impl Trouble {
    /// Whether the route may have been away: an agent that is back in time loses none.
    pub fn excuses(&self, node: NodeId, at: Instant) -> bool {
        let over = self.until.is_some_and(|until| until + UNDER_WAY < at);
        self.node == node && self.from <= at && !over && !self.was_unnoticed()
    }

    /// The machine may be too slow for an agent to be back in time.
    fn was_unnoticed(&self) -> bool {
        let brief = matches!(self.fault, Fault::Killed | Fault::Stopped) && self.lasts < UNNOTICED;
        brief && self.until.is_some_and(|until| until - self.from < Duration::from_secs(2))
    }
}

#[derive(Debug, Default)]
pub struct Troubles {
    pub all: Vec<Trouble>,
    zones: BTreeMap<u8, &'static str>,
    /// When the controller is to be started again.
    controller: Option<Instant>,
}

impl Troubles {
    pub fn is_in_trouble(&self, node: NodeId) -> bool {
        self.open().any(|trouble| trouble.node == node)
    }

    /// Cannot answer, or knows nothing new.
    pub fn is_out_of_touch(&self, node: NodeId) -> bool {
        let deaf = |fault| matches!(fault, Fault::Killed | Fault::Stopped | Fault::Silent);
        self.open().any(|trouble| trouble.node == node && deaf(trouble.fault))
    }

    fn open(&self) -> impl Iterator<Item = &Trouble> {
        self.all.iter().filter(|trouble| trouble.until.is_none())
    }

    /// A node that is well, and another one that can serve without it.
    pub fn may_begin(&self, node: NodeId) -> bool {
        let well = |node: &NodeId| !self.is_in_trouble(*node);
        let others = (1..=3).map(NodeId).filter(|other| *other != node);
        well(&node) && others.filter(well).count() > 0
    }

    pub fn begin(&mut self, estate: &Estate, node: u8, fault: Fault, lasts: Duration) {
        let from = Instant::now();
        let trouble = Trouble { node: NodeId(node), fault, lasts, from, until: None, undone: None };
        self.all.push(trouble);
        match fault {
            Fault::Killed => estate.agent(node).kill9(),
            Fault::Stopped => estate.agent(node).stop(),
            Fault::Daemon(name) => {
                let frr = estate.lab.node(node).frr();
                frr.daemon(name).restart().unwrap();
                frr.wait_for(name).unwrap();
            }
            Fault::Silent => drop(estate.lab.silence(NodeId(node)).unwrap()),
            Fault::Cordoned | Fault::Annotated | Fault::NotReady => self.write_nodes(estate),
            Fault::Drained => drop(estate.ask(node, &["drain"])),
        }
        // At once is at once, whatever else there is to do.
        self.undo_due(estate);
    }

    pub fn kill_controller(&mut self, estate: &Estate, lasts: Duration) {
        estate.controller.as_ref().unwrap().kill9();
        self.controller = Some(Instant::now() + lasts);
    }

    pub fn controller_runs(&self) -> bool {
        self.controller.is_none()
    }

    pub fn label(&mut self, estate: &Estate, node: u8, zone: Option<&'static str>) {
        match zone {
            Some(zone) => drop(self.zones.insert(node, zone)),
            None => drop(self.zones.remove(&node)),
        }
        self.write_nodes(estate);
    }

    /// Ends what has lasted long enough, and sees who is back.
    pub fn tick(&mut self, estate: &Estate, watch: &FibWatch) {
        self.undo_due(estate);
        if self.controller.is_some_and(|due| due <= Instant::now()) {
            self.controller = None;
            estate.controller.as_ref().unwrap().restart().unwrap();
        }
        let undone = |trouble: &&mut Trouble| trouble.until.is_none() && trouble.undone.is_some();
        for trouble in self.all.iter_mut().filter(undone) {
            let said = is_back(estate, watch, trouble.node);
            match (said, trouble.undone) {
                (Ok(()), _) => trouble.until = Some(Instant::now()),
                (Err(said), Some(undone)) if undone.elapsed() > RECOVERY => {
                    panic!(
                        "{trouble:?} is over since {:?}, and the node is not back: {said}",
                        undone.elapsed()
                    );
                }
                (Err(_), _) => {}
            }
        }
    }

    pub fn are_over(&self) -> bool {
        self.controller.is_none() && self.open().count() == 0
    }

    fn undo_due(&mut self, estate: &Estate) {
        let now = Instant::now();
        let due = |trouble: &&mut Trouble| trouble.undone.is_none() && trouble.from + trouble.lasts <= now;
        let mut write_nodes = false;
        for trouble in self.all.iter_mut().filter(due) {
            trouble.undone = Some(now);
            let node = trouble.node.0;
            match trouble.fault {
                Fault::Killed => estate.agent(node).restart().unwrap(),
                Fault::Stopped => estate.agent(node).cont(),
                Fault::Daemon(_) => {}
                Fault::Silent => drop(estate.lab.unsilence(trouble.node).unwrap()),
                Fault::Cordoned | Fault::Annotated | Fault::NotReady => write_nodes = true,
                Fault::Drained => drop(estate.ask(node, &["undrain"])),
            }
        }
        if write_nodes {
            self.write_nodes(estate);
        }
    }

    /// With their addresses, which no VIP may have.
    pub fn write_nodes(&self, estate: &Estate) {
        let mut text = String::new();
        for k in 1..=3 {
            let zone = self.zones.get(&k).map(|zone| format!(", zone: {zone}")).unwrap_or_default();
            writeln!(
                text,
                "apiVersion: v1\nkind: Node\nmetadata:\n  name: n{k}\n  labels: {{lab: chaos{zone}}}"
            )
            .unwrap();
            let ails =
                |fault| self.all.iter().any(|t| t.node.0 == k && t.fault == fault && t.undone.is_none());
            if ails(Fault::Annotated) {
                text += "  annotations: {novaedge.io/drain: \"true\"}\n";
            }
            if ails(Fault::Cordoned) {
                text += "spec: {unschedulable: true}\n";
            }
            let ready = !ails(Fault::NotReady);
            let status =
                format!("conditions: [{{type: Ready, status: \"{ready}\"}}]").replace("true", "True");
            let status = status.replace("false", "False");
            writeln!(
                text,
                "status: {{addresses: [{{type: InternalIP, address: 10.0.0.{k}}}], {status}}}\n---"
            )
            .unwrap();
        }
        estate.write("nodes.yaml", &text);
    }
}

fn is_back(estate: &Estate, watch: &FibWatch, node: NodeId) -> Result<(), String> {
    if !watch.now().nodes(STEADY_ROUTE.parse().unwrap()).contains(&node) {
        return Err("the router has no route to it".to_owned());
    }
    let vip = estate.vip(node.0, "steady")?;
    if vip["phase"] == "Announced" { Ok(()) } else { Err(vip.to_string()) }
}
