//! The loop on a paused clock, with a daemon in memory that does what it is told to.

use super::{COMPARE_EVERY, OBSERVE_EVERY, RETRY_REFUSED_LAST, drive};
use crate::model::bgp::Audience;
use crate::model::net::HostRoute;
use crate::model::observed::{DaemonVersion, Observed};
use crate::plan::{Announcement, RoutingPlan};
use crate::routing::{Applied, ApplyError, Daemon, ObserveError};
use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

#[derive(Debug, Default)]
struct Memory {
    has: BTreeSet<HostRoute>,
    applied: usize,
    restarts: u64,
    answers: bool,
    refuses: bool,
}

#[derive(Debug, Clone, Default)]
struct InMemory(Arc<Mutex<Memory>>);

impl Daemon for InMemory {
    async fn apply(&mut self, plan: &RoutingPlan) -> Result<Applied, ApplyError> {
        let mut memory = self.0.lock().unwrap();
        memory.applied += 1;
        if !memory.answers {
            return Err(ApplyError::NotAnswering(io::ErrorKind::ConnectionRefused.into()));
        }
        if memory.refuses {
            return Err(ApplyError::Refused { line: "router bgp 1".into(), answer: "no".into() });
        }
        let wanted: BTreeSet<HostRoute> = plan.announcements.keys().copied().collect();
        let changes = memory.has.symmetric_difference(&wanted).count();
        memory.has = wanted;
        Ok(Applied { changes, ..Applied::default() })
    }

    async fn observe(&mut self) -> Result<Observed, ObserveError> {
        let memory = self.0.lock().unwrap();
        if !memory.answers {
            return Err(ObserveError::NotAnswering(io::ErrorKind::ConnectionRefused.into()));
        }
        Ok(Observed {
            daemon: Some(DaemonVersion { name: "memory".into(), version: "1".into() }),
            announced: memory.has.clone(),
            restarts: memory.restarts,
            ..Observed::default()
        })
    }
}

struct Scene {
    daemon: InMemory,
    plans: watch::Sender<Arc<RoutingPlan>>,
    seen: watch::Receiver<Observed>,
    task: JoinHandle<()>,
}

fn scene(memory: Memory) -> Scene {
    let daemon = InMemory(Arc::new(Mutex::new(memory)));
    let (plans, receiver) = watch::channel(Arc::default());
    let (sender, seen) = watch::channel(Observed::default());
    let task = tokio::spawn(drive(daemon.clone(), receiver, sender));
    Scene { daemon, plans, seen, task }
}

impl Scene {
    fn plan(&self, prefixes: &[&str]) {
        let nobody =
            Announcement { attributes: Default::default(), audience: Audience::Peers(BTreeSet::new()) };
        let announcements = routes(prefixes).into_iter().map(|route| (route, nobody.clone())).collect();
        self.plans.send(Arc::new(RoutingPlan { announcements, ..RoutingPlan::default() })).unwrap();
    }

    fn memory<T>(&self, look: impl FnOnce(&mut Memory) -> T) -> T {
        look(&mut self.daemon.0.lock().unwrap())
    }

    async fn after(&self, time: Duration) -> Observed {
        tokio::time::sleep(time).await;
        self.seen.borrow().clone()
    }
}

fn routes(prefixes: &[&str]) -> BTreeSet<HostRoute> {
    prefixes.iter().map(|prefix| HostRoute::parse(prefix).unwrap()).collect()
}

fn answering() -> Memory {
    Memory { answers: true, ..Memory::default() }
}

#[tokio::test(start_paused = true)]
async fn before_the_first_plan_it_only_looks() {
    let scene = scene(Memory { has: routes(&["10.200.0.20"]), ..answering() });
    let seen = scene.after(Duration::from_secs(60)).await;
    assert_eq!((seen.announced, scene.memory(|memory| memory.applied)), (routes(&["10.200.0.20"]), 0));
}

#[tokio::test(start_paused = true)]
async fn the_newest_plan_goes_in_at_once() {
    let scene = scene(answering());
    scene.after(OBSERVE_EVERY).await;
    scene.plan(&["10.200.0.20"]);
    scene.plan(&["10.200.0.21"]);
    let seen = scene.after(Duration::from_millis(1)).await;
    assert_eq!((seen.announced, scene.memory(|memory| memory.applied)), (routes(&["10.200.0.21"]), 1));
}

#[tokio::test(start_paused = true)]
async fn what_somebody_else_changed_is_changed_back() {
    let scene = scene(answering());
    scene.plan(&["10.200.0.20"]);
    scene.after(OBSERVE_EVERY).await;
    scene.memory(|memory| memory.has.clear());
    let seen = scene.after(COMPARE_EVERY + 2 * OBSERVE_EVERY).await;
    assert_eq!(seen.announced, routes(&["10.200.0.20"]));
}

#[tokio::test(start_paused = true)]
async fn a_restarted_daemon_is_set_up_at_the_next_look() {
    let scene = scene(answering());
    scene.plan(&["10.200.0.20"]);
    scene.after(COMPARE_EVERY).await;
    scene.memory(|memory| {
        memory.has.clear();
        memory.restarts += 1;
    });
    scene.after(OBSERVE_EVERY + Duration::from_millis(1)).await;
    assert_eq!(scene.memory(|memory| memory.has.clone()), routes(&["10.200.0.20"]));
}

#[tokio::test(start_paused = true)]
async fn a_daemon_that_comes_back_is_set_up_soon_and_its_absence_is_told() {
    let scene = scene(Memory::default());
    scene.plan(&["10.200.0.20"]);
    let seen = scene.after(Duration::from_secs(60)).await;
    assert_eq!(seen.daemon, None);
    assert!(seen.trouble.unwrap().contains("does not answer"));
    scene.memory(|memory| memory.answers = true);
    let seen = scene.after(3 * OBSERVE_EVERY).await;
    assert_eq!((seen.announced, seen.trouble), (routes(&["10.200.0.20"]), None));
}

#[tokio::test(start_paused = true)]
async fn a_refused_plan_is_tried_ever_less_often_and_a_new_one_at_once() {
    let scene = scene(Memory { refuses: true, ..answering() });
    scene.plan(&["10.200.0.20"]);
    let seen = scene.after(Duration::from_secs(600)).await;
    assert!(seen.trouble.unwrap().contains("router bgp 1"));
    let tried = scene.memory(|memory| memory.applied);
    assert!(
        (600 / RETRY_REFUSED_LAST.as_secs() as usize..30).contains(&tried),
        "{tried} times in ten minutes"
    );
    scene.memory(|memory| memory.refuses = false);
    scene.plan(&["10.200.0.21"]);
    let seen = scene.after(OBSERVE_EVERY).await;
    assert_eq!((seen.announced, seen.trouble), (routes(&["10.200.0.21"]), None));
}

#[tokio::test(start_paused = true)]
async fn it_ends_with_the_last_sender_of_plans() {
    let Scene { plans, task, .. } = scene(answering());
    drop(plans);
    task.await.unwrap();
}
