//! `show protocols all` and `show interfaces` → what each protocol is and does, and where the node is. Pure.

use crate::model::observed::PeerState;
use ipnet::IpNet;
use std::net::IpAddr;

/// The beginning of the name of everything that is ours.
pub const OURS: &str = "novaedge_";

/// One protocol of BIRD.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Protocol {
    pub name: String,
    /// `BGP`, `Static`, …
    pub kind: String,
    /// Somebody has said `disable`, or the session is being taken down.
    pub is_down: bool,
    /// As BIRD prints when it came into its state.
    pub since: String,
    pub bgp: Option<Bgp>,
    /// Routes over all channels.
    pub exported: u64,
    pub imported: u64,
    /// Changes that went through to the other side, over all channels.
    pub export_changes: u64,
}

/// A BGP session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bgp {
    pub state: PeerState,
    pub neighbor: Option<IpAddr>,
    pub neighbor_as: u32,
    pub local_as: u32,
    pub last_error: Option<String>,
    /// Our own address of the session, while it is up.
    pub source: Option<IpAddr>,
}

impl Protocol {
    pub fn is_ours(&self) -> bool {
        self.name.starts_with(OURS)
    }
}

/// Reads all protocols; what is not understood is left out.
pub fn protocols<'a>(lines: impl IntoIterator<Item = &'a (u16, String)>) -> Vec<Protocol> {
    let mut protocols: Vec<Protocol> = Vec::new();
    for (code, text) in lines {
        match (code, protocols.last_mut()) {
            (1002, _) => protocols.extend(headline(text)),
            (_, Some(protocol)) => detail(protocol, text.trim()),
            (_, None) => {}
        }
    }
    protocols
}

/// `novaedge_10_0_0_254 BGP        ---        up     18:41:30.863  Established`
fn headline(text: &str) -> Option<Protocol> {
    let mut words = text.split_whitespace();
    let (name, kind, _table, state) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let time = words.by_ref().take_while(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    let since = time.collect::<Vec<_>>().join(" ");
    let bgp = (kind == "BGP").then_some(Bgp {
        state: PeerState::Idle,
        neighbor: None,
        neighbor_as: 0,
        local_as: 0,
        last_error: None,
        source: None,
    });
    Some(Protocol {
        name: name.to_owned(),
        kind: kind.to_owned(),
        is_down: state == "down",
        since,
        bgp,
        ..Protocol::default()
    })
}

fn detail(protocol: &mut Protocol, text: &str) {
    let Some((key, value)) = text.split_once(':') else { return };
    let value = value.trim();
    match key {
        "Routes" => {
            protocol.imported += number_before(value, "imported");
            protocol.exported += number_before(value, "exported");
        }
        "Export updates" | "Export withdraws" => {
            // The last column is what went through.
            let accepted = value.split_whitespace().last().and_then(|number| number.parse::<u64>().ok());
            protocol.export_changes += accepted.unwrap_or(0);
        }
        _ => {}
    }
    let Some(bgp) = &mut protocol.bgp else { return };
    match key {
        "BGP state" => bgp.state = state(value),
        // A link-local one has its interface behind it.
        "Neighbor address" => {
            bgp.neighbor = value.split('%').next().and_then(|address| address.trim().parse().ok());
        }
        "Neighbor AS" => bgp.neighbor_as = value.parse().unwrap_or(0),
        "Local AS" => bgp.local_as = value.parse().unwrap_or(0),
        "Source address" => bgp.source = value.parse().ok(),
        "Last error" => bgp.last_error = Some(value.to_owned()),
        _ => {}
    }
}

/// `3` of `0 imported, 3 exported, 0 preferred`.
fn number_before(text: &str, word: &str) -> u64 {
    let counts = text.split(", ").filter_map(|part| part.split_once(' '));
    let found = counts.filter(|(_, what)| *what == word).find_map(|(number, _)| number.parse().ok());
    found.unwrap_or(0)
}

/// BIRD has `Close` and `Down` where RFC 4271 §8.2.2 is in `Idle`.
fn state(text: &str) -> PeerState {
    match text {
        "Connect" => PeerState::Connect,
        "Active" => PeerState::Active,
        "OpenSent" => PeerState::OpenSent,
        "OpenConfirm" => PeerState::OpenConfirm,
        "Established" => PeerState::Established,
        _ => PeerState::Idle,
    }
}

/// A connected prefix, with the node's own address in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link(IpNet);

impl Link {
    pub fn has(&self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }

    pub fn own(&self) -> IpAddr {
        self.0.addr()
    }
}

/// The connected prefixes in `show interfaces`: `10.0.0.1/24 (Preferred, scope site)`.
pub fn links<'a>(lines: impl IntoIterator<Item = &'a str>) -> Vec<Link> {
    let prefixes = lines.into_iter().filter_map(|line| line.split_whitespace().next()?.parse::<IpNet>().ok());
    prefixes.filter(|net| net.prefix_len() < net.max_prefix_len()).map(Link).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<(u16, String)> {
        let coded = |line: &str| match line.starts_with(' ') {
            true => (1006, line.to_owned()),
            false => (1002, line.to_owned()),
        };
        text.lines().map(coded).collect()
    }

    #[test]
    fn a_session_is_read_with_its_channels_added_up() {
        let text = "device1    Device     ---        up     18:41:30.005  \n\
                    novaedge_10_0_0_254 BGP        ---        start  2026-11-26 18:41:30  Active        Socket: Connection refused\n \
                    Description:    managed-by-novaedge\n BGP state:          Active\n   Neighbor address: 10.0.0.254\n   \
                    Neighbor AS:      64500\n   Local AS:         64501\n   Last error:       Socket: Connection refused\n \
                    Channel ipv4\n   Routes:         0 imported, 2 exported, 0 preferred\n     \
                    Export updates:              5          0          1        ---          4\n     \
                    Export withdraws:            3        ---        ---        ---          2\n Channel ipv6\n   \
                    Routes:         1 imported, 0 filtered, 3 exported, 0 preferred\n";
        let found = protocols(&lines(text));
        assert_eq!((found.len(), found[0].kind.as_str(), found[0].is_ours()), (2, "Device", false));
        let session = &found[1];
        assert!(session.is_ours());
        assert_eq!(session.since, "2026-11-26 18:41:30");
        assert_eq!((session.imported, session.exported, session.export_changes), (1, 5, 6));
        let bgp = session.bgp.as_ref().unwrap();
        assert_eq!((bgp.state, bgp.neighbor_as, bgp.local_as), (PeerState::Active, 64500, 64501));
        assert_eq!(bgp.neighbor, Some("10.0.0.254".parse().unwrap()));
        assert_eq!(bgp.last_error.as_deref(), Some("Socket: Connection refused"));
    }

    #[test]
    fn connected_is_what_has_neighbours() {
        let text =
            ["lo up (index=1)", "\t10.200.0.20/32 (scope site)", "\t10.0.0.1/24 (Preferred, scope site)"];
        let links = links(text);
        let on_link = |address: &str| links.iter().any(|link| link.has(address.parse().unwrap()));
        assert_eq!(links[0].own(), "10.0.0.1".parse::<IpAddr>().unwrap());
        assert!(on_link("10.0.0.254") && !on_link("10.200.0.20") && !on_link("10.1.0.1"));
    }
}
