//! For any plan: what is rendered is exactly our objects, and no value has become a line of its own.

use crate::model::bfd::{BfdProfile, Interval};
use crate::model::bgp::{Asn, Audience, Community, GracefulRestart, Password, PathAttributes, Peer, Timers};
use crate::model::net::HostRoute;
use crate::plan::{Announcement, RoutingPlan, SpeakerPlan};
use crate::routing::frr::diff::steps;
use crate::routing::frr::parse::{Config, Foreign, Object};
use crate::routing::frr::render::Renderer;
use crate::routing::frr::view::view;
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use std::net::IpAddr;
use std::num::{NonZeroU8, NonZeroU16};

fn asn() -> impl Strategy<Value = Asn> {
    (1..=u32::MAX).prop_map(|number| Asn::new(number).unwrap())
}

/// Whatever the constructor lets through of texts made to break out of a line.
fn password() -> impl Strategy<Value = Password> {
    let pieces =
        prop_oneof![any::<char>().prop_map(String::from), "[ -~]{1,20}", Just("\n no router bgp 1".into())];
    vec(pieces, 1..6).prop_filter_map("no password", |pieces| Password::parse(pieces.concat()).ok())
}

fn bfd() -> impl Strategy<Value = BfdProfile> {
    let interval = || (10..=60_000u32).prop_map(|millis| Interval::from_millis(millis).unwrap());
    (1..=255u8, interval(), interval(), any::<bool>(), any::<bool>()).prop_map(
        |(multiplier, tx, rx, echo, multihop)| BfdProfile {
            detect_multiplier: NonZeroU8::new(multiplier).unwrap(),
            desired_min_tx: tx,
            required_min_rx: rx,
            echo,
            multihop,
        },
    )
}

fn peer() -> impl Strategy<Value = Peer> {
    let hops = || option::of((1..=254u8).prop_map(|hops| NonZeroU8::new(hops).unwrap()));
    let timers = (any::<u16>(), any::<u16>());
    let rest = (hops(), hops(), option::of(any::<IpAddr>()), option::of(bfd()));
    let first = (any::<IpAddr>(), asn(), 1..=u16::MAX, option::of(password()), timers);
    (first, rest).prop_map(
        |((address, asn, port, password, timers), (multihop, ttl_security, source, bfd))| Peer {
            address,
            asn,
            port: NonZeroU16::new(port).unwrap(),
            password,
            timers: Timers { hold_seconds: timers.0, keepalive_seconds: timers.1 },
            multihop,
            ttl_security,
            source,
            bfd,
        },
    )
}

fn attributes() -> impl Strategy<Value = PathAttributes> {
    let community = prop_oneof![
        any::<(u16, u16)>().prop_map(|(a, b)| Community::Standard(a, b)),
        any::<(u32, u32, u32)>().prop_map(|(a, b, c)| Community::Large(a, b, c)),
    ];
    let numbers = (option::of(any::<u32>()), option::of(any::<u32>()), 0..=10u8);
    (btree_set(community, 0..4), numbers).prop_map(|(communities, (local_preference, med, prepend))| {
        PathAttributes { communities, local_preference, med, prepend }
    })
}

fn plan() -> impl Strategy<Value = RoutingPlan> {
    let route = any::<IpAddr>().prop_filter_map("no VIP", |address| HostRoute::new(address).ok());
    let speaker = (asn(), any::<[u8; 4]>(), option::of(any::<u16>()), vec(peer(), 0..4));
    let announcements = btree_map(route, (attributes(), vec(any::<bool>(), 4)), 0..8);
    (speaker, announcements).prop_map(|((asn, id, restart, peers), announcements)| {
        let peers: std::collections::BTreeMap<_, _> =
            peers.into_iter().map(|peer| (peer.address, peer)).collect();
        let announcements = announcements.into_iter().map(|(route, (attributes, chosen))| {
            let some = peers.keys().zip(chosen).filter(|(_, chosen)| *chosen).map(|(peer, _)| *peer);
            (route, Announcement { attributes, audience: Audience::Peers(some.collect()) })
        });
        let announcements = announcements.collect();
        let graceful_restart = restart.map(|restart_seconds| GracefulRestart { restart_seconds });
        let speaker =
            SpeakerPlan { asn, router_id: id.into(), graceful_restart, peers, facing: Default::default() };
        RoutingPlan { speaker: Some(speaker), announcements, ospf: None }
    })
}

proptest! {
    #[test]
    fn what_is_rendered_is_exactly_what_was_meant(plan in plan()) {
        let text = Renderer::new().render(&view(&plan));
        let config = Config::parse(&text);
        prop_assert_eq!(&config.foreign, &Foreign::default());
        let speaker = plan.speaker.as_ref().unwrap();
        let asn = speaker.asn.get();
        let networks = config.objects.keys().filter_map(|object| match object {
            Object::Network(of, route) if *of == asn => Some(route),
            _ => None,
        });
        prop_assert!(networks.eq(plan.announcements.keys()));
        let neighbors: Vec<_> = config.objects.iter().filter_map(|(object, lines)| match object {
            Object::Neighbor(of, address) if *of == asn => Some((address, lines)),
            _ => None,
        }).collect();
        prop_assert!(neighbors.iter().map(|(address, _)| *address).eq(speaker.peers.keys()));
        for ((_, lines), peer) in neighbors.iter().zip(speaker.peers.values()) {
            let said = lines.iter().find_map(|line| line.text.strip_prefix(&format!("neighbor {} password ", peer.address)));
            prop_assert_eq!(said, peer.password.as_ref().map(Password::expose));
        }
        let instances = config.objects.keys().filter(|object| matches!(object, Object::Instance(_))).count();
        prop_assert_eq!(instances, usize::from(plan.has_own_instance()));
    }

    /// Equal plans have nothing to say to each other; a plan after nothing says all of its own, once.
    #[test]
    fn from_nothing_everything_is_said_once(plan in plan()) {
        let config = Config::parse(&Renderer::new().render(&view(&plan)));
        prop_assert_eq!(steps(&config, &config), vec![]);
        let said: Vec<_> = steps(&Config::default(), &config).into_iter().flat_map(|step| step.lines).collect();
        let meant: Vec<_> = config.objects.values().flatten().cloned().collect();
        prop_assert_eq!(said.len(), meant.len());
        prop_assert!(meant.iter().all(|line| said.contains(line)));
    }
}
