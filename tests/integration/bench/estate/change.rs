//! One VIP changed: a whole round of the controller, and what the wire makes of it for all connected agents.

use super::cost::Cost;
use super::world::{World, present, report, vip_name};
use super::{row, say};
use anyhow::{Context, Result};
use novaedge::controller::ledger::LedgerFile;
use novaedge::controller::metrics::Metrics;
use novaedge::controller::publish::Snapshots;
use novaedge::controller::reconcile::{Inputs, Outputs, Reconciler};
use novaedge::controller::state_dir::StateDir;
use novaedge::controller::tell::{News, Teller};
use novaedge::host::kept::Kept;
use novaedge::manifests::Loaded;
use novaedge::model::attendance::Attendance;
use novaedge::model::name::Name;
use novaedge::model::status::NodeStatus;
use novaedge::model::term::Term;
use novaedge::wire::diffs::Diffs;
use novaedge::wire::outbox::{Next, Outbox};
use novaedge::wire::parts::{Head, Parts};
use novaedge::wire::schema;
use novaedge::wire::server::compose::{self, Composed};
use prometheus_client::registry::Registry;
use prost::Message;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::runtime::Runtime;
use tokio::sync::watch;

const TERM: Term = Term { created: 1_790_000_000, transitions: 1 };
const SAMPLES: usize = 6;

type Agents = Arc<BTreeMap<Name, Attendance>>;

/// A controller without a network: what its loop publishes is composed, and cut into the messages that each
/// agent would get.
struct Bench {
    loaded: watch::Sender<Arc<Loaded>>,
    attendance: watch::Sender<Agents>,
    _election: watch::Sender<Option<Term>>,
    inputs: Inputs,
    reconciler: Reconciler,
    teller: Teller,
    news: watch::Receiver<News>,
    snapshots: watch::Receiver<Arc<Snapshots>>,
    runtime: Runtime,
    composed: watch::Receiver<Arc<Composed>>,
    diffs: Diffs,
    outboxes: BTreeMap<Name, Outbox>,
}

pub fn measure(world: &World, reference: &Cost) -> Result<()> {
    let directory = tempfile::tempdir()?;
    let mut bench = Bench::start(world, directory.path())?;
    let say_cost = |what, cost: &Cost, bound| row(what, world.shapes, cost, bound, reference);
    let [mut first, mut rounds, mut sent, mut whole, mut answers, mut told] =
        [(); 6].map(|()| Cost::default());
    first.add(|| bench.round());
    bench.deliver()?;
    bench.agents_answer();
    bench.round();
    told.add(|| bench.tell());
    say_cost("the first round", &first, "–");
    say_cost("the first status", &told, "–");
    told = Cost::default();
    let mut largest = 0;
    for sample in 0..SAMPLES {
        bench.edit(world, sample);
        whole.add(|| {
            rounds.add(|| bench.round());
            sent.add(|| bench.deliver().map(|bytes| largest = largest.max(bytes)))
        })?;
        bench.agents_answer();
        answers.add(|| bench.round());
        if sample < 2 {
            told.add(|| bench.tell());
        }
    }
    say_cost("one VIP changed: the round", &rounds, "–");
    say_cost("one VIP changed: pages and messages", &sent, "–");
    say_cost("one VIP changed: both", &whole, "100 ms");
    say_cost("all agents have answered: the round", &answers, "–");
    say_cost("all agents have answered: the status", &told, "–");
    say(&format!("| one VIP changed: to an agent at most | {} | {largest} bytes | | 5 KB | |", world.shapes));
    Ok(())
}

impl Bench {
    fn start(world: &World, directory: &std::path::Path) -> Result<Self> {
        let state = StateDir::open(directory)?;
        let memory = Kept::in_directory(directory, "accepted.json");
        let ledger = LedgerFile::open(state)?;
        let mut first = Loaded::default();
        first.resources = world.resources.clone();
        let (loaded, newest_loaded) = watch::channel(Arc::new(first));
        let (attendance, newest_attendance) = watch::channel(Agents::default());
        let (election, term) = watch::channel(Some(TERM));
        let (bulletins, newest_bulletin) = watch::channel(Arc::default());
        let (snapshots, newest_snapshots) = watch::channel(Arc::default());
        let (news, newest_news) = watch::channel(News::None);
        let metrics = Metrics::new(&mut Registry::default());
        let teller = Teller::new(watch::channel(None).0, metrics.clone());
        let outputs = Outputs { bulletins, snapshots, news, metrics };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (composing, composed) = watch::channel(Arc::new(Composed::nothing()));
        runtime.spawn(compose::run(newest_bulletin, composing));
        Ok(Self {
            loaded,
            attendance,
            _election: election,
            inputs: Inputs { loaded: newest_loaded, attendance: newest_attendance, election: term },
            reconciler: Reconciler::new(ledger, memory, Default::default(), outputs),
            teller,
            news: newest_news,
            snapshots: newest_snapshots,
            runtime,
            composed,
            diffs: Diffs::default(),
            outboxes: BTreeMap::new(),
        })
    }

    fn round(&mut self) {
        self.reconciler.turn(&mut self.inputs);
    }

    fn tell(&mut self) {
        self.teller.tell(&self.news.borrow_and_update());
    }

    /// Everything that goes to the agents, who take it. Returns the bytes of the one who gets most.
    fn deliver(&mut self) -> Result<usize> {
        let composed = &mut self.composed;
        self.runtime.block_on(async {
            composed.changed().await?;
            // Until there is nothing left to compose.
            tokio::task::yield_now().await;
            Ok::<_, watch::error::RecvError>(())
        })?;
        let newest = Arc::clone(&composed.borrow_and_update());
        let mut most = 0;
        for (node, snapshot) in &**self.snapshots.borrow() {
            let outbox =
                self.outboxes.entry(node.clone()).or_insert_with(|| Outbox::new(&schema::hello(None)));
            let Some(next) = outbox.next(newest.outgoing(node)) else { continue };
            most = most.max(encoded(&next, &self.diffs));
            outbox.taken(snapshot.generation).context("an agent that takes what it gets")?;
        }
        Ok(most)
    }

    /// All agents report that they have what they were told.
    fn agents_answer(&self) {
        let snapshots = self.snapshots.borrow();
        // Equal reports are kept once: only the controller's memory is meant to be large.
        let mut known: BTreeMap<(usize, u64), Arc<NodeStatus>> = BTreeMap::new();
        let mut agents = BTreeMap::new();
        for (node, snapshot) in &**snapshots {
            let key = (Arc::as_ptr(&snapshot.vips) as usize, snapshot.generation);
            let status = known.entry(key).or_insert_with(|| Arc::new(report(snapshot, Some(TERM))));
            agents.insert(node.clone(), present(status.clone()));
        }
        self.attendance.send_replace(Arc::new(agents));
    }

    fn edit(&self, world: &World, sample: usize) {
        let mut edited = Loaded::default();
        edited.resources = world.resources.clone();
        if let Some(vip) = edited.resources.vips.get_mut(&vip_name(4_000)) {
            Arc::make_mut(vip).spec.ports =
                if sample.is_multiple_of(2) { vec![80, 443, 8443] } else { vec![80, 443] };
        }
        self.loaded.send_replace(Arc::new(edited));
    }
}

/// How many bytes it is as messages.
fn encoded(next: &Next, diffs: &Diffs) -> usize {
    let head = |to: &novaedge::wire::outbox::Message| Head {
        schema: schema::SCHEMA,
        term: to.term,
        generation: to.generation,
    };
    match next {
        Next::NoOrders => 0,
        Next::Whole(to) => Parts::whole(head(to), &to.page).map(|part| part.encode_to_vec().len()).sum(),
        Next::Changes { from, to } => {
            let changes = from.as_ref().map(|from| diffs.between(from, &to.page)).unwrap_or_default();
            let parts = Parts::changes(head(to), &changes, to.page.digest());
            parts.map(|part| part.encode_to_vec().len()).sum()
        }
    }
}
