//! Whether bgpd still learns from zebra which of our prefixes the kernel has.
//!
//! bgpd asks zebra to be told about the address of each `network` statement, once. When zebra is restarted it
//! knows nothing of that, and bgpd, which connects again within 10 s, does not repeat it for them (FRR 8.4); what
//! was configured in between was never asked for. From then on such a prefix is not announced at all, or, worse,
//! stays announced when its agent is dead. So after each restart, and when an agent starts, zebra's list is read
//! until all of our prefixes are in it. A statement that is missing there is taken back and made again in one go;
//! bgpd looks at its table after both, so that no peer hears of it.

use super::Frr;
use super::diff::{Phase, Step, again};
use super::parse::{Config, Object};
use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;

/// The restarts of zebra and of bgpd as of which every prefix was in sight.
pub type AsOf = Option<(u64, u64)>;

impl Frr {
    /// Makes the statements again that zebra does not know of. `config` is what bgpd has.
    pub(super) async fn keep_in_sight(&mut self, config: &Config) -> io::Result<()> {
        let as_of = Some((self.zebra.restarts(), self.bgpd.restarts()));
        if self.in_sight == as_of || !self.is_bgpd_connected().await? {
            return Ok(());
        }
        let tracked = self.tracked().await?;
        let unseen: Vec<Step> = config
            .objects
            .iter()
            .filter(|(object, _)| matches!(object, Object::Network(_, route) if !tracked.contains(&route.address())))
            .map(|(object, lines)| Step { phase: Phase::Announce, object: object.clone(), lines: again(lines) })
            .collect();
        if unseen.is_empty() {
            self.in_sight = as_of;
            return Ok(());
        }
        tracing::warn!(
            prefixes = unseen.len(),
            "zebra tells bgpd nothing about these any more; bgpd asks again"
        );
        self.send(&unseen).await.map(drop).map_err(io::Error::other)
    }

    /// Before that, a statement that is made again would be withdrawn.
    async fn is_bgpd_connected(&mut self) -> io::Result<bool> {
        let clients = self.zebra.ask("show zebra client summary").await?;
        Ok(clients.text.lines().any(|line| line.split_whitespace().next() == Some("bgp")))
    }

    async fn tracked(&mut self) -> io::Result<BTreeSet<IpAddr>> {
        let mut tracked = BTreeSet::new();
        for question in ["show ip nht", "show ipv6 nht"] {
            tracked.extend(of_bgpd(&self.zebra.ask(question).await?.text));
        }
        Ok(tracked)
    }
}

/// The addresses in `show ip nht` that bgpd is told about. Each begins a line (later versions put a word in
/// parentheses behind it), and what follows is indented, the clients last.
fn of_bgpd(text: &str) -> BTreeSet<IpAddr> {
    let mut address: Option<IpAddr> = None;
    let mut tracked = BTreeSet::new();
    for line in text.lines() {
        if !line.starts_with(' ') {
            address = line.split(['(', ' ']).next().and_then(|word| word.parse().ok());
        } else if line.trim_start().starts_with("Client list:") && line.contains("bgp(") {
            tracked.extend(address);
        }
    }
    tracked
}

#[cfg(test)]
mod tests {
    use super::of_bgpd;

    #[test]
    fn addresses_of_other_clients_are_not_bgpds() {
        let text = "10.200.0.20\n resolved via kernel\n via 10.0.0.254, eth0\n Client list: bgp(fd 26)\n\
                    10.200.0.21(Connected)\n resolved via connected\n is directly connected, lo\n \
                    Client list: static(fd 30) bgp(fd 26)\n\
                    10.0.0.9\n unresolved\n Client list: static(fd 30)\n\
                    2001:db8::50\n resolved via connected\n Client list: bgp(fd 26)\n";
        let tracked: Vec<String> = of_bgpd(text).iter().map(ToString::to_string).collect();
        assert_eq!(tracked, ["10.200.0.20", "10.200.0.21", "2001:db8::50"]);
    }
}
