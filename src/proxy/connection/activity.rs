//! What a client connection last did, and what is to become of it.
//!
//! There is no timer per request: sockets and requests leave marks on the core's coarse clock, and the
//! core's [`super::reaper`] looks at all connections a few times a second. [`Activity::verdict`] is the
//! whole policy.

use super::preface::Protocol;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::time::Duration;

/// The resolution of the coarse clock.
pub const TICK: Duration = Duration::from_millis(250);

/// A moment, in ticks since the core's start. Never zero, so that zero can mean "not now".
pub type Moment = NonZeroU32;

/// Counts ticks since the core's start; moved by the core alone.
#[derive(Debug)]
pub struct Clock(AtomicU32);

impl Default for Clock {
    fn default() -> Self {
        Self(AtomicU32::new(1))
    }
}

impl Clock {
    pub fn advance(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    pub fn now(&self) -> Moment {
        Moment::new(self.0.load(Relaxed)).unwrap_or(Moment::MIN)
    }
}

/// Since when something holds, if it does.
#[derive(Debug, Default)]
pub struct Since(AtomicU32);

impl Since {
    /// It holds; the moment when it began to stays.
    pub fn begin(&self, now: Moment) {
        if self.0.load(Relaxed) == 0 {
            self.0.store(now.get(), Relaxed);
        }
    }

    pub fn restart(&self, now: Moment) {
        self.0.store(now.get(), Relaxed);
    }

    pub fn end(&self) {
        self.0.store(0, Relaxed);
    }

    fn lasts(&self, now: Moment) -> Option<Duration> {
        let since = self.0.load(Relaxed);
        (since != 0).then(|| TICK * now.get().saturating_sub(since))
    }
}

/// How long a client may keep us waiting.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// From the first byte of a request (or the accept) to the last of its header section.
    pub head: Duration,
    /// Nothing in flight, nothing begun.
    pub idle: Duration,
    /// As `idle`, for a connection that is asked to end.
    pub idle_retiring: Duration,
    /// Between two pieces of a request's body, or with our bytes not taken.
    pub stall: Duration,
    /// After our last byte, until the client closes as well.
    pub linger: Duration,
}

/// 75 s is what browsers and load balancers are used to from nginx.
pub const LIMITS: Limits = Limits {
    head: Duration::from_secs(30),
    idle: Duration::from_secs(75),
    idle_retiring: Duration::from_secs(1),
    stall: Duration::from_secs(60),
    linger: Duration::from_secs(2),
};

/// Written by the socket and by requests, read by the reaper, all on one core.
#[derive(Debug, Default)]
pub struct Activity {
    /// Requests whose response has not left completely.
    in_flight: AtomicU32,
    /// A header section has begun to arrive.
    pub head: Since,
    /// Nothing is in flight.
    pub idle: Since,
    /// We wait for more of a request's body, or, in a byte stream, for anything from either side.
    pub awaited: Since,
    /// The client does not take what we have for it.
    pub unsent: Since,
    /// We have said all; the client has not closed yet.
    pub closing: Since,
    /// A response broke off.
    broken: AtomicBool,
}

/// What is to become of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Keep,
    /// Ends as soon as nothing is in flight.
    Finish,
    /// Ends now.
    Abort,
}

impl Activity {
    pub fn begin_request(&self) {
        self.in_flight.fetch_add(1, Relaxed);
        self.head.end();
        self.idle.end();
    }

    pub fn end_request(&self, now: Moment) {
        if self.in_flight.fetch_sub(1, Relaxed) == 1 {
            self.idle.begin(now);
        }
    }

    /// A response broke off. A client of HTTP/1 may take the connection's end for the body's.
    pub fn broke_off(&self) {
        self.broken.store(true, Relaxed);
    }

    pub fn is_broken(&self) -> bool {
        self.broken.load(Relaxed)
    }

    pub fn in_flight(&self) -> u32 {
        self.in_flight.load(Relaxed)
    }

    /// A byte has arrived. On HTTP/2 that need not be a request's.
    pub fn received(&self, protocol: Protocol, now: Moment) {
        if protocol == Protocol::Http1 && self.in_flight() == 0 {
            self.head.begin(now);
        }
    }

    /// `retiring`: the connection was asked to end, by its listener's removal or the node's departure.
    pub fn verdict(&self, now: Moment, limits: &Limits, retiring: bool) -> Verdict {
        let beyond = |since: &Since, limit: Duration| since.lasts(now).is_some_and(|lasts| lasts >= limit);
        let idle = if retiring { limits.idle_retiring } else { limits.idle };
        if beyond(&self.awaited, limits.stall)
            || beyond(&self.unsent, limits.stall)
            || beyond(&self.closing, limits.linger)
        {
            return Verdict::Abort;
        }
        match self.in_flight() {
            0 if beyond(&self.head, limits.head) => Verdict::Abort,
            // A request that has begun to arrive is waited for.
            0 if self.head.lasts(now).is_none() && beyond(&self.idle, idle) => Verdict::Finish,
            _ => Verdict::Keep,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(activity: &Activity, elapsed: Duration, retiring: bool) -> Verdict {
        let ticks = elapsed.as_millis() / TICK.as_millis();
        let now = Moment::MIN.saturating_add(u32::try_from(ticks).unwrap());
        activity.verdict(now, &LIMITS, retiring)
    }

    const AGES: Duration = Duration::from_secs(3600);

    #[test]
    fn a_request_in_flight_may_take_as_long_as_it_takes() {
        let activity = Activity::default();
        activity.begin_request();
        assert_eq!(after(&activity, AGES, true), Verdict::Keep);
        activity.end_request(Moment::MIN);
        assert_eq!(after(&activity, AGES, false), Verdict::Finish);
    }

    #[test]
    fn idleness_is_cut_short_when_the_connection_should_end() {
        let activity = Activity::default();
        activity.idle.begin(Moment::MIN);
        let table =
            [(900, true, Verdict::Keep), (1000, true, Verdict::Finish), (74_000, false, Verdict::Keep)];
        for (elapsed, retiring, verdict) in table {
            assert_eq!(after(&activity, Duration::from_millis(elapsed), retiring), verdict, "{elapsed}");
        }
    }

    #[test]
    fn a_head_that_has_begun_is_neither_cut_off_nor_waited_for_without_end() {
        let activity = Activity::default();
        activity.idle.begin(Moment::MIN);
        activity.received(Protocol::Http1, Moment::MIN);
        assert_eq!(after(&activity, Duration::from_secs(5), true), Verdict::Keep);
        assert_eq!(after(&activity, LIMITS.head, true), Verdict::Abort);
    }

    #[test]
    fn stalls_and_unanswered_farewells_end_a_connection() {
        for mark in [|a: &Activity| a.awaited.begin(Moment::MIN), |a: &Activity| a.unsent.begin(Moment::MIN)]
        {
            let activity = Activity::default();
            activity.begin_request();
            mark(&activity);
            assert_eq!(after(&activity, LIMITS.stall - TICK, false), Verdict::Keep);
            assert_eq!(after(&activity, LIMITS.stall, false), Verdict::Abort);
        }
        let activity = Activity::default();
        activity.closing.begin(Moment::MIN);
        assert_eq!(after(&activity, LIMITS.linger, false), Verdict::Abort);
    }
}
