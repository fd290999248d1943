//! A thread that listens for route changes, and the questions about what it saw.

use super::socket::{changes, dump, listen};
use super::{Event, Fib, NextHops, Replay};
use crate::{Netns, eventually};
use anyhow::{Context, Result, bail};
use ipnet::IpNet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Follows a namespace's FIB until it is dropped.
#[derive(Debug)]
pub struct FibWatch {
    baseline: Fib,
    seen: Arc<Seen>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Seen {
    events: Mutex<Vec<Event>>,
    /// Why the listener gave up: after that nothing it saw is complete.
    broken: Mutex<Option<String>>,
    over: AtomicBool,
}

impl FibWatch {
    /// Starts listening, then reads the table: no change falls between the two.
    ///
    /// # Errors
    /// The kernel gives no netlink socket.
    pub fn start(netns: &Netns) -> Result<Self> {
        let socket = listen(netns, Duration::from_millis(100))?;
        let baseline = dump(netns)?;
        let seen = Arc::new(Seen::default());
        let shared = seen.clone();
        let follow = move || {
            while !shared.over.load(Ordering::Relaxed) {
                match changes(&socket) {
                    Ok(changes) => {
                        let at = Instant::now();
                        let events = changes.into_iter().map(|change| Event { at, change });
                        lock(&shared.events).extend(events);
                    }
                    Err(error) => return *lock(&shared.broken) = Some(format!("{error:#}")),
                }
            }
        };
        let thread = std::thread::Builder::new().name("fib-watch".into()).spawn(follow)?;
        Ok(Self { baseline, seen, thread: Some(thread) })
    }

    /// Waits until the table satisfies `holds`, and returns the first moment from `since` on at which it
    /// did: `since` itself when it did already.
    ///
    /// # Errors
    /// It does not by the deadline (the message says what the table was), or changes were lost.
    pub fn wait(
        &self,
        what: &str,
        since: Instant,
        deadline: Duration,
        holds: impl Fn(&Fib) -> bool,
    ) -> Result<Instant> {
        let mut replay = Replay::from(&self.baseline);
        let found = eventually(what, deadline, || {
            let moment = replay.find(&lock(&self.seen.events), since, &holds);
            match (lock(&self.seen.broken).clone(), moment) {
                (Some(broken), _) => Ok(Err(broken)),
                (None, Some(moment)) => Ok(Ok(moment)),
                (None, None) => Err("the ToR's FIB does not show it"),
            }
        });
        match found.with_context(|| format!("the table is {:?}", self.routes_of_interest()))? {
            Ok(moment) => Ok(moment),
            Err(broken) => bail!("{what}: {broken}"),
        }
    }

    /// [`Self::wait`] for one prefix's next hops.
    ///
    /// # Errors
    /// As [`Self::wait`].
    pub fn wait_for(
        &self,
        prefix: &str,
        since: Instant,
        deadline: Duration,
        holds: impl Fn(&NextHops) -> bool,
    ) -> Result<Instant> {
        let net: IpNet = prefix.parse().with_context(|| format!("{prefix:?} is no prefix"))?;
        self.wait(&format!("the next hops of {prefix}"), since, deadline, |fib| holds(&fib.next_hops(net)))
    }

    /// The table as of the last change seen.
    pub fn now(&self) -> Fib {
        let mut fib = self.baseline.clone();
        lock(&self.seen.events).iter().for_each(|event| fib.apply(&event.change));
        fib
    }

    /// Every change from `since` on.
    pub fn events(&self, since: Instant) -> Vec<Event> {
        lock(&self.seen.events).iter().filter(|event| event.at >= since).cloned().collect()
    }

    /// Host routes, as text: the few that say something in an error message.
    fn routes_of_interest(&self) -> Vec<String> {
        let host = |prefix: &IpNet| prefix.prefix_len() == prefix.max_prefix_len();
        let routes = self.now().0.into_iter().filter(|(prefix, _)| host(prefix));
        routes.take(10).map(|(prefix, hops)| format!("{prefix} via {hops}")).collect()
    }
}

impl Drop for FibWatch {
    fn drop(&mut self) {
        self.seen.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic of the listener has been printed by its own thread.
            let _ = thread.join();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
