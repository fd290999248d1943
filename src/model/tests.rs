use super::adjacency::NeighborId;
use super::bgp::{Community, Password};
use super::http::{Hostname, PathMatch};
use super::net::{HostRoute, InterfaceName};
use super::ospf::AuthKey;
use super::snapshot::Snapshot;
use proptest::prelude::*;

#[test]
fn a_host_route_is_one_address() {
    for good in ["10.200.0.20", "10.200.0.20/32", "2001:db8::50", "2001:db8::50/128"] {
        assert!(HostRoute::parse(good).is_ok(), "{good}");
    }
    let refused = [
        ("10.200.0.0/24", "write 10.200.0.0/32"),
        ("2001:db8::/64", "write 2001:db8::/128"),
        ("127.0.0.1", "not a unicast"),
        ("224.0.0.5", "not a unicast"),
        ("fe80::1", "not a unicast"),
        ("999.1.1.1/32", "not an IP address"),
        ("10.200.0.20/99", "not an IP address"),
    ];
    for (bad, words) in refused {
        let error = HostRoute::parse(bad).unwrap_err().to_string();
        assert!(error.contains(words), "{bad}: {error}");
    }
}

#[test]
fn a_neighbour_reads_as_it_prints() {
    let written = "v3/eth0/10.0.0.254";
    assert_eq!(NeighborId::try_from(written.to_owned()).unwrap().to_string(), written);
    for bad in ["", "v4/eth0/10.0.0.254", "v2/eth0", "v2/a b/10.0.0.254", "v2/eth0/tor"] {
        assert!(NeighborId::try_from(bad.to_owned()).is_err(), "{bad}");
    }
}

#[test]
fn communities_read_as_operators_write_them() {
    assert_eq!(Community::parse("64501:100"), Ok(Community::Standard(64501, 100)));
    assert_eq!(Community::parse("64501:1:2"), Ok(Community::Large(64501, 1, 2)));
    assert_eq!(Community::parse("65535:0"), Community::parse("graceful-shutdown"));
    for bad in ["64501", "70000:1", "1:2:3:4", "1:-2", "+1:2", "no export", "1:\n2"] {
        assert!(Community::parse(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn a_redacted_snapshot_has_no_secret_and_still_reads_back() {
    let written = serde_json::json!({
        "generation": 7, "node": "n1", "vips": {}, "listeners": {}, "backends": {},
        "speaker": {"asn": 64501, "router_id": null, "graceful_restart": null, "peers": {"10.0.0.1": {
            "address": "10.0.0.1", "asn": 64500, "port": 179, "password": "tor-secret",
            "timers": {"hold_seconds": 9, "keepalive_seconds": 3},
            "multihop": null, "ttl_security": null, "source": null, "bfd": null,
        }}},
        "ospf": {
            "router_id": null, "area": "0.0.0.0", "timers": {"hello_seconds": 10, "dead_seconds": 40},
            "authentication": {"type": "md5", "key": "tor-secret"}, "graceful_restart": false, "bfd": null,
            "interfaces": {"uplink": true, "named": []},
        },
    });
    let snapshot: Snapshot = serde_json::from_value(written).unwrap();
    let shown = serde_json::to_string(&snapshot.redacted()).unwrap();
    assert!(!shown.contains("tor-secret") && shown.contains("redacted"), "{shown}");
    serde_json::from_str::<Snapshot>(&shown).unwrap();
}

#[test]
fn hostnames_and_paths_end_at_their_separators() {
    let wildcard = Hostname::parse("*.Example.com").unwrap();
    assert!(wildcard.matches("a.example.com") && wildcard.matches("a.b.example.com"));
    assert!(!wildcard.matches("example.com") && !wildcard.matches("evilexample.com"));
    let prefix = PathMatch::Prefix("/api".to_owned());
    assert!(prefix.matches("/api") && prefix.matches("/api/x"));
    assert!(!prefix.matches("/apiary"));
    assert!(PathMatch::Prefix("/".to_owned()).matches("/anything"));
    for bad in ["10.0.0.1", "a..b", "-a.example", "a:80", "*.*.example.com", ""] {
        assert!(Hostname::parse(bad).is_err(), "{bad}");
    }
}

proptest! {
    /// A password that parses is one word of a configuration line, whatever was thrown at it.
    #[test]
    fn a_password_is_one_word(text in any::<String>()) {
        if let Ok(password) = Password::parse(text) {
            prop_assert!(password.expose().bytes().all(|b| b.is_ascii_graphic()));
            prop_assert_eq!(format!("{password:?}"), "<redacted>");
        }
    }

    /// So is a key, and an interface's name.
    #[test]
    fn a_key_and_an_interface_are_one_word(text in any::<String>()) {
        if let Ok(key) = AuthKey::<16>::parse(text.clone()) {
            prop_assert!(key.expose().len() <= 16 && key.expose().bytes().all(|b| b.is_ascii_graphic()));
            prop_assert_eq!(format!("{key:?}"), "<redacted>");
        }
        if let Ok(name) = InterfaceName::parse(text) {
            prop_assert!(name.as_str().bytes().all(|b| b.is_ascii_graphic() && b != b'/'));
        }
    }

    #[test]
    fn communities_print_as_they_parse(a in any::<u16>(), b in any::<u16>(), c in any::<[u32; 3]>()) {
        let [x, y, z] = c;
        for community in [Community::Standard(a, b), Community::Large(x, y, z)] {
            prop_assert_eq!(Community::parse(&community.to_string()), Ok(community));
        }
    }
}
