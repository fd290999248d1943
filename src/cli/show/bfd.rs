//! `bfd status`.

use super::span;
use crate::cli::table::Table;
use crate::model::observed::{BfdObserved, BfdState};
use crate::model::status::NodeStatus;

/// The sessions. `TX` and `RX` are the negotiated intervals with the multiplier that the far end, and this
/// one, waits for; `DETECTS` is the time after which this node takes the peer for gone (RFC 5880 §6.8.4).
pub fn bfd_status(status: &NodeStatus) -> String {
    if status.routing.bfd.is_empty() {
        return "No BFD sessions are configured.\n".to_owned();
    }
    let mut table = Table::new([
        "PEER",
        "LOCAL",
        "INTERFACE",
        "STATE",
        ">UP",
        ">TX",
        ">RX",
        ">DETECTS",
        ">ECHO",
        "DIAGNOSTIC",
    ]);
    for (peer, session) in &status.routing.bfd {
        let up = session.state == BfdState::Up;
        table.row([
            peer.to_string(),
            session.local.map(|local| local.to_string()).unwrap_or_default(),
            path(session),
            session.state.to_string(),
            if up { span(session.uptime_seconds) } else { String::new() },
            format!("{}ms x{}", session.transmit_interval_ms, session.detect_multiplier),
            format!("{}ms x{}", session.receive_interval_ms, session.remote_detect_multiplier),
            if up { format!("{}ms", detection_ms(session)) } else { String::new() },
            session.echo_interval_ms.map(|interval| format!("{interval}ms")).unwrap_or_default(),
            session.diagnostic.clone().unwrap_or_default(),
        ]);
    }
    table.to_string()
}

fn path(session: &BfdObserved) -> String {
    match (&session.interface, session.multihop) {
        (Some(interface), _) => interface.clone(),
        (None, true) => "multihop".to_owned(),
        (None, false) => String::new(),
    }
}

/// With echo this node hears its own packets come back, and misses them by its own multiplier (§6.8.5).
fn detection_ms(session: &BfdObserved) -> u64 {
    let control = u64::from(session.receive_interval_ms) * u64::from(session.remote_detect_multiplier);
    let echo = session.echo_interval_ms.map(|ms| u64::from(ms) * u64::from(session.detect_multiplier));
    echo.map_or(control, |echo| echo.min(control))
}
