//! How long sessions have been up, and how often they were lost: BIRD prints a time of its own clock, in the
//! operator's format, and counts nothing. Pure.

use super::protocols::Protocol;
use crate::model::observed::PeerState;
use k8s_openapi::jiff::civil::{Date, DateTime, Time};
use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub struct Sessions(BTreeMap<String, Session>);

#[derive(Debug, Default)]
struct Session {
    /// As BIRD printed it while the session was up.
    up_since: Option<String>,
    lost: u64,
}

impl Sessions {
    /// Takes note of a session, and says how often it was lost since the agent's start.
    pub fn note(&mut self, protocol: &Protocol) -> u64 {
        let up = protocol.bgp.as_ref().is_some_and(|bgp| bgp.state == PeerState::Established);
        let now = up.then(|| protocol.since.clone());
        let session = self.0.entry(protocol.name.clone()).or_default();
        if session.up_since.is_some() && session.up_since != now {
            session.lost += 1;
        }
        session.up_since = now;
        session.lost
    }
}

/// Seconds from `since` to `now`, both as BIRD prints them by default (`18:41:30.863` of today, a date before)
/// or with `timeformat … iso long`. 0 where the operator has chosen another format.
pub fn seconds(since: &str, now: &str) -> u64 {
    let Ok(now) = now.parse::<DateTime>() else { return 0 };
    let since = match (since.parse::<DateTime>(), since.parse::<Time>(), since.parse::<Date>()) {
        (_, Ok(time), _) if !since.contains('-') => now.date().to_datetime(time),
        (Ok(moment), ..) => moment,
        (.., Ok(date)) => date.to_datetime(Time::midnight()),
        _ => return 0,
    };
    let seconds = now.duration_since(since).as_secs();
    u64::try_from(seconds).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing::bird::protocols::Bgp;

    #[test]
    fn times_are_read_as_bird_prints_them() {
        let now = "2026-11-26 18:42:08.737";
        assert_eq!(seconds("18:41:30.863", now), 37);
        assert_eq!(seconds("2026-11-26 18:42:00", now), 8);
        assert_eq!(seconds("2026-11-25", now), 24 * 3600 + 18 * 3600 + 42 * 60 + 8);
        assert_eq!(seconds("a while ago", now), 0);
        assert_eq!(seconds("18:41:30", "soon"), 0);
    }

    #[test]
    fn a_session_is_lost_when_it_goes_and_when_it_came_anew_in_between() {
        let session = |state, since: &str| Protocol {
            name: "x".to_owned(),
            since: since.to_owned(),
            bgp: Some(Bgp {
                state,
                neighbor: None,
                neighbor_as: 1,
                local_as: 2,
                last_error: None,
                source: None,
            }),
            ..Protocol::default()
        };
        let mut sessions = Sessions::default();
        let (up, down) = (PeerState::Established, PeerState::Active);
        let told = [(down, "1"), (up, "2"), (up, "2"), (down, "3"), (up, "4"), (up, "5")];
        let lost: Vec<u64> = told.map(|(state, since)| sessions.note(&session(state, since))).into();
        assert_eq!(lost, [0, 0, 0, 1, 1, 2]);
    }
}
