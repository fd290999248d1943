//! The departure of an address, step by step (spec §2.5). Time is an argument.
//!
//! ```text
//! Staying ─(it is to leave)─▶ Finishing ──▶ Muted ──▶ Yielding ──▶ Yielded ──▶ Closing
//!    ▲                                              Released ◀── Stopped ◀── Withdrawn ◀──┘
//!    └───(it is to stay after all, from whichever step: what the steps took away comes back)
//! ```
//!
//! The order follows from what routers do. A router that honours RFC 8326 (FRR sets local preference 0)
//! moves the traffic the moment the graceful-shutdown community arrives, not when the route is withdrawn:
//! *that* is the re-hash, and a connection that is still open then meets a node that does not know it.
//! So connections are ended **before** `Yielding`, while everything is still announced:
//!
//! * `Finishing` lets clients that keep connections go: each response asks for the connection's end. New
//!   connections still come, get their answer, and end.
//! * `Muted` drops new SYNs, so that what is in flight runs dry. A client repeats its SYN after 1 s
//!   (RFC 6298 §2.1), and by then the routers must have moved: at most 500 ms here, and 120 to 190 ms
//!   for the community to reach a router's forwarding table, fit.
//! * `Yielding` is the moment in which routers that honour the community move, still muted.
//! * `Yielded` lasts as long as the operator said. Routers that ignore the community still send clients
//!   here, so new connections are served again.
//! * `Closing` is `Muted` once more, for those routers: the withdrawal will be their re-hash.
//! * `Withdrawn` waits for the daemon to let go, for the routers to follow, and for what is in flight.
//! * `Stopped` waits for the proxy to close its doors to the address.
//!
//! Each address walks by itself: what another one does, of the same VIP or not, is nothing to it.

use super::facts::NodeFacts;
use crate::model::net::HostRoute;
use std::time::Duration;

/// Steps of a departure, in their order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Leave {
    #[default]
    Staying,
    /// Everything is served and announced; kept connections are asked to end.
    Finishing,
    /// New SYNs are dropped, so that their retransmissions meet the new set of nodes.
    Muted,
    /// Announced with the graceful-shutdown community (RFC 8326), still muted.
    Yielding,
    /// Announced so, and serving whoever is still sent here.
    Yielded,
    /// Announced so, and new SYNs are dropped again.
    Closing,
    /// No longer announced; what is in flight is finished.
    Withdrawn,
    /// No longer served; what was not finished in time is left to itself.
    Stopped,
    /// The address goes.
    Released,
}

impl Leave {
    /// Whether new connections are to be left without an answer.
    pub fn is_muted(self) -> bool {
        match self {
            Self::Staying | Self::Finishing | Self::Yielded => false,
            Self::Muted
            | Self::Yielding
            | Self::Closing
            | Self::Withdrawn
            | Self::Stopped
            | Self::Released => true,
        }
    }

    /// Whether announcements carry the graceful-shutdown community.
    pub fn is_yielding(self) -> bool {
        matches!(self, Self::Yielding | Self::Yielded | Self::Closing)
    }

    /// Whether the departure goes on by itself.
    pub fn is_under_way(self) -> bool {
        !matches!(self, Self::Staying | Self::Released)
    }
}

/// Numbers about traffic are this old at most: no step ends on what may be older than its beginning.
const NUMBERS_AGE: Duration = Duration::from_millis(250);
/// Kept connections get at least so long to end by themselves.
const FINISHING_FLOOR: Duration = Duration::from_secs(2);
/// Half of the time after which a client repeats its SYN.
const MUTED_LIMIT: Duration = Duration::from_millis(500);
/// A router's forwarding table follows a withdrawal within 190 ms (FRR to FRR); with a margin.
const ROUTERS_FOLLOW: Duration = Duration::from_millis(500);
/// A daemon that has not let go by then is not waited for.
const DAEMON_LIMIT: Duration = Duration::from_secs(2);
/// A proxy that still has connections then is not waited for.
const PROXY_LIMIT: Duration = Duration::from_millis(500);

/// What is looked at between two steps of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Since the present step began.
    pub in_step: Duration,
    /// As its VIP asks for.
    pub drain_period: Duration,
    /// Open connections of clients to it.
    pub connections: u64,
    /// Requests and byte streams in flight; each has a connection.
    pub in_flight: u64,
    /// It may still be announced.
    pub announced: bool,
}

impl Moment {
    pub fn new(in_step: Duration, drain_period: Duration, route: HostRoute, facts: &NodeFacts) -> Self {
        let traffic = facts.served.traffic.get(&route.address()).copied().unwrap_or_default();
        Self {
            in_step,
            drain_period,
            connections: traffic.connections,
            in_flight: traffic.in_flight,
            announced: facts.may_be_announced(route),
        }
    }
}

/// Where a departure begins: with the first step, or with the last for an address that is not here at all.
pub fn first_step(route: HostRoute, facts: &NodeFacts) -> Leave {
    if facts.is_held(route) || facts.is_announced(route) { Leave::Finishing } else { Leave::Released }
}

/// The step that follows now: the same one, or the next. A departure ends whatever clients and daemons do.
/// `Staying` is left by a decision only, and `Released` is the end.
pub fn step(leave: Leave, now: &Moment) -> Leave {
    match leave {
        Leave::Finishing if finished(now) => Leave::Muted,
        Leave::Muted if ran_dry(now) => Leave::Yielding,
        Leave::Yielding | Leave::Yielded | Leave::Closing if !now.announced => Leave::Withdrawn,
        Leave::Yielding if now.in_step >= ROUTERS_FOLLOW => Leave::Yielded,
        Leave::Yielded if now.in_step + ROUTERS_FOLLOW >= now.drain_period => Leave::Closing,
        Leave::Closing if ran_dry(now) => Leave::Withdrawn,
        Leave::Withdrawn if let_go(now) => Leave::Stopped,
        Leave::Stopped if stopped(now) => Leave::Released,
        stays => stays,
    }
}

/// No client keeps a connection without using it, or time is up.
fn finished(now: &Moment) -> bool {
    (now.connections <= now.in_flight && now.in_step >= NUMBERS_AGE)
        || now.in_step >= FINISHING_FLOOR.max(now.drain_period / 2)
}

fn ran_dry(now: &Moment) -> bool {
    (now.in_flight == 0 && now.in_step >= NUMBERS_AGE) || now.in_step >= MUTED_LIMIT
}

fn let_go(now: &Moment) -> bool {
    let withdrawn = !now.announced || now.in_step >= DAEMON_LIMIT;
    let finished = now.in_flight == 0 && now.in_step >= ROUTERS_FOLLOW;
    (withdrawn && finished) || now.in_step >= now.drain_period.max(DAEMON_LIMIT)
}

fn stopped(now: &Moment) -> bool {
    (now.connections == 0 && now.in_step >= NUMBERS_AGE) || now.in_step >= PROXY_LIMIT
}
