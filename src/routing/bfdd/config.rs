//! Sessions in bfdd's language. Pure.
//!
//! A block is a profile or a peer, by its first line. A peer is ours when it uses a profile of ours, which is ours
//! by its name; and a profile's name says all that is in it, so no two blocks of one name differ.

use super::Session;
use crate::model::bfd::BfdProfile;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Blocks of ours by their first line, each with the lines inside.
pub type Blocks = BTreeMap<String, BTreeSet<String>>;

const OURS: &str = "profile NOVAEDGE-";

pub fn wanted(sessions: &BTreeMap<IpAddr, Session>) -> Blocks {
    let mut blocks = Blocks::new();
    for (peer, session) in sessions {
        let profile = format!("profile {}", name(&session.profile));
        let mut inside = BTreeSet::from([profile.clone()]);
        let local = session.local.map(|local| format!(" local-address {local}")).unwrap_or_default();
        let interface =
            session.interface.iter().map(|name| format!(" interface {}", name.as_str())).collect::<String>();
        let head = match session.hops > 1 {
            true => {
                // The TTL that is left of 255 after so many hops.
                inside.insert(format!("minimum-ttl {}", 255 - u16::from(session.hops) + 1));
                format!("peer {peer} multihop{local}")
            }
            false => format!("peer {peer}{local}{interface}"),
        };
        blocks.insert(head, inside);
        blocks.insert(profile, timers(&session.profile));
    }
    blocks
}

fn name(profile: &BfdProfile) -> String {
    let BfdProfile { detect_multiplier, desired_min_tx, required_min_rx, echo, multihop: _ } = profile;
    let suffix = if *echo { "-echo" } else { "" };
    let (transmit, receive) = (desired_min_tx.as_millis(), required_min_rx.as_millis());
    format!("NOVAEDGE-{transmit}-{receive}-x{detect_multiplier}{suffix}")
}

/// Without what holds anyway, which bfdd does not print.
fn timers(profile: &BfdProfile) -> BTreeSet<String> {
    let (transmit, receive) = (profile.desired_min_tx.as_millis(), profile.required_min_rx.as_millis());
    let mut lines = BTreeSet::from([
        format!("detect-multiplier {}", profile.detect_multiplier),
        format!("transmit-interval {transmit}"),
        format!("receive-interval {receive}"),
    ]);
    if profile.echo {
        lines.insert("echo-mode".to_owned());
        lines.insert(format!("echo transmit-interval {receive}"));
        lines.insert(format!("echo receive-interval {receive}"));
    }
    lines.retain(|line| !is_default(line));
    lines
}

fn is_default(line: &str) -> bool {
    [
        "detect-multiplier 3",
        "transmit-interval 300",
        "receive-interval 300",
        "echo transmit-interval 50",
        "echo receive-interval 50",
        "minimum-ttl 254",
    ]
    .contains(&line)
}

/// What of a running configuration is ours.
pub fn ours(running: &str) -> Blocks {
    let mut blocks = Blocks::new();
    let mut head: Option<String> = None;
    let mut inside_bfd = false;
    for line in running.lines().filter(|line| !matches!(line.trim(), "" | "!" | "exit")) {
        let text = line.trim();
        match line.len() - line.trim_start().len() {
            0 => inside_bfd = text == "bfd",
            1 if inside_bfd => {
                head = Some(text.to_owned());
                blocks.insert(text.to_owned(), BTreeSet::new());
            }
            _ if inside_bfd => {
                let block = head.as_ref().and_then(|head| blocks.get_mut(head));
                block.map(|lines| lines.insert(text.to_owned()));
            }
            _ => {}
        }
    }
    blocks.retain(|head, lines| head.starts_with(OURS) || lines.iter().any(|line| line.starts_with(OURS)));
    blocks
}

/// What to say to get from `have` to `want`, one configuration session. Nothing when they are equal.
pub fn lines(have: &Blocks, want: &Blocks) -> Vec<String> {
    let is_profile = |head: &&String| head.starts_with("profile ");
    let made = |head: &&String| have.get(*head) != want.get(*head);
    let mut lines = Vec::new();
    // What a peer names comes before it, and goes after it.
    let (profiles, peers): (Vec<&String>, Vec<&String>) = want.keys().filter(made).partition(is_profile);
    for head in profiles.into_iter().chain(peers) {
        lines.push(head.clone());
        // To take a peer away and make it again would end its session.
        let surplus = have.get(head).into_iter().flatten().filter(|line| !want[head].contains(*line));
        lines.extend(surplus.filter(|line| !line.starts_with(OURS)).map(|line| undo(line)));
        lines.extend(want[head].iter().cloned());
        lines.push("exit".to_owned());
    }
    let gone = have.keys().filter(|head| !want.contains_key(*head));
    let (profiles, peers): (Vec<&String>, Vec<&String>) = gone.partition(is_profile);
    lines.extend(peers.into_iter().chain(profiles).map(|head| format!("no {head}")));
    if lines.is_empty() {
        return lines;
    }
    ["configure terminal", "bfd"]
        .map(str::to_owned)
        .into_iter()
        .chain(lines)
        .chain(["end".to_owned()])
        .collect()
}

/// bfdd knows no `no` form for most settings: these are the lines that make them what they are by default.
fn undo(line: &str) -> String {
    let setting = line.rsplit_once(' ').map_or(line, |(setting, _)| setting);
    match setting {
        "detect-multiplier" => "detect-multiplier 3".to_owned(),
        "transmit-interval" | "receive-interval" => format!("{setting} 300"),
        "echo transmit-interval" | "echo receive-interval" => format!("{setting} 50"),
        "minimum-ttl" => "minimum-ttl 254".to_owned(),
        _ => format!("no {line}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::bfd::Interval;
    use std::num::NonZeroU8;

    fn session(millis: u32, echo: bool, hops: u8) -> Session {
        let interval = Interval::from_millis(millis).unwrap();
        Session {
            interface: None,
            profile: BfdProfile {
                detect_multiplier: NonZeroU8::new(3).unwrap(),
                desired_min_tx: interval,
                required_min_rx: interval,
                echo,
                multihop: hops > 1,
            },
            local: (hops > 1).then(|| "10.0.0.1".parse().unwrap()),
            hops,
        }
    }

    fn sessions(all: &[(&str, Session)]) -> Blocks {
        wanted(&all.iter().map(|(peer, session)| (peer.parse().unwrap(), session.clone())).collect())
    }

    /// As bfdd 8.4.4 prints it.
    const RUNNING: &str = "frr version 8.4.4\n!\nbfd\n profile NOVAEDGE-100-100-x3\n  transmit-interval 100\n  \
                           receive-interval 100\n exit\n !\n profile spine\n  transmit-interval 500\n exit\n !\n \
                           peer 10.0.0.77\n  profile spine\n exit\n !\n peer 10.0.0.254\n  profile \
                           NOVAEDGE-100-100-x3\n exit\n !\n peer 192.0.2.1 multihop local-address 10.0.0.1\n  \
                           profile NOVAEDGE-100-100-x3\n  minimum-ttl 253\n exit\n !\nexit\n!\nrouter x\n peer y\n";

    #[test]
    fn what_is_there_reads_as_it_was_meant_and_the_operators_is_not_ours() {
        let meant =
            sessions(&[("10.0.0.254", session(100, false, 1)), ("192.0.2.1", session(100, false, 3))]);
        assert_eq!(ours(RUNNING), meant);
        assert_eq!(lines(&ours(RUNNING), &meant), Vec::<String>::new());
    }

    #[test]
    fn a_profile_comes_before_its_peers_and_goes_after_them() {
        let want = sessions(&[("10.0.0.254", session(50, true, 1))]);
        let said = lines(&ours(RUNNING), &want);
        let at = |line: &str| {
            said.iter().position(|said| said == line).unwrap_or_else(|| panic!("{line}: {said:#?}"))
        };
        assert_eq!((at("configure terminal"), at("bfd"), at("end")), (0, 1, said.len() - 1));
        assert!(at("profile NOVAEDGE-50-50-x3-echo") < at("peer 10.0.0.254"));
        assert!(!said.contains(&"no peer 10.0.0.254".to_owned()), "its session stays: {said:#?}");
        assert!(
            at("no peer 192.0.2.1 multihop local-address 10.0.0.1") < at("no profile NOVAEDGE-100-100-x3")
        );
        assert!(!said.iter().any(|line| line.contains("spine") || line.contains("10.0.0.77")), "{said:#?}");
        assert_eq!(lines(&want, &want).len(), 0);
    }
}
