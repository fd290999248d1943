//! What the routing daemon says, for those who watch: a scrape reads what the driver saw last.

use crate::model::adjacency::NeighborState;
use crate::model::observed::{BfdState, Observed, PeerState};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;
use std::fmt;
use tokio::sync::watch;

/// Adjacencies, sessions and routes as of the newest report.
#[derive(Debug)]
pub struct Routing(pub watch::Receiver<Observed>);

type Labelled = (Vec<(&'static str, String)>, u64);

impl Collector for Routing {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let seen = self.0.borrow().clone();
        let up = |yes: bool| u64::from(yes);
        let peers = seen.peers.iter().map(|(address, peer)| {
            (vec![("peer", address.to_string())], up(peer.state == PeerState::Established))
        });
        let neighbors = seen.neighbors.iter().map(|(id, neighbor)| {
            let labels = vec![
                ("version", id.version.to_string()),
                ("interface", id.interface.to_string()),
                ("router_id", id.router_id.to_string()),
            ];
            (labels, up(neighbor.state == NeighborState::Full))
        });
        let sessions = seen.bfd.iter().map(|(address, session)| {
            (vec![("peer", address.to_string())], up(session.state == BfdState::Up))
        });
        let gauges: [(&str, &str, Vec<Labelled>); 5] = [
            ("novaedge_bgp_peer_up", "Whether the session is Established", peers.collect()),
            ("novaedge_ospf_neighbor_full", "Whether the neighbour is Full", neighbors.collect()),
            ("novaedge_bfd_session_up", "Whether the BFD session is Up", sessions.collect()),
            ("novaedge_routing_daemon_up", "Whether it answers", vec![(vec![], up(seen.daemon.is_some()))]),
            (
                "novaedge_routing_announced_routes",
                "Host routes of ours that it holds as valid",
                vec![(vec![], seen.announced.len() as u64)],
            ),
        ];
        for (name, help, values) in gauges {
            let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for (labels, value) in values {
                match labels.is_empty() {
                    true => metric.encode_gauge(&value)?,
                    false => metric.encode_family(&labels)?.encode_gauge(&value)?,
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::adjacency::{Neighbor, NeighborId};
    use prometheus_client::encoding::text::encode;
    use prometheus_client::registry::Registry;

    #[test]
    fn a_scrape_says_who_hears_us() {
        let id = NeighborId::try_from("v2/eth0/10.0.0.254".to_owned()).unwrap();
        let neighbor = Neighbor {
            address: None,
            state: NeighborState::Full,
            role: None,
            priority: 1,
            uptime_seconds: 9,
            dead_time_seconds: 4,
        };
        let seen = Observed { neighbors: [(id, neighbor)].into(), ..Observed::default() };
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Routing(watch::channel(seen).1)));
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        for line in [
            "novaedge_ospf_neighbor_full{version=\"v2\",interface=\"eth0\",router_id=\"10.0.0.254\"} 1",
            "novaedge_routing_daemon_up 0",
            "novaedge_routing_announced_routes 0",
        ] {
            assert!(text.lines().any(|present| present == line), "{line} is not in\n{text}");
        }
    }
}
