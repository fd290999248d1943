//! The table as `nft --stateless --json list table inet novaedge` prints it (libnftables-json(5)).

use super::table::{CHAINS, SETS};
use crate::model::net::{Port, Transport};
use crate::plan::ExposurePlan;
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// What was found. No table is the default: it exposes nothing of ours and has no rules.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Listing {
    pub plan: ExposurePlan,
    /// Everything but elements, as printed, to be compared with a later listing.
    pub rules: Vec<Value>,
}

#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error("unexpected {0}")]
    Unexpected(Value),
}

impl Listing {
    pub fn read(printed: &[u8]) -> Result<Self, Unreadable> {
        let mut document: Value = serde_json::from_slice(printed)?;
        let mut listing = Self::default();
        for object in document["nftables"].as_array_mut().into_iter().flatten() {
            if let Some(set) = object.get_mut("set").and_then(Value::as_object_mut) {
                let elements = set.remove("elem").unwrap_or_default();
                let name = set.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
                for element in elements.as_array().into_iter().flatten() {
                    listing.add(&name, element).ok_or_else(|| Unreadable::Unexpected(element.clone()))?;
                }
            }
            if object.get("metainfo").is_none() {
                listing.rules.push(object.take());
            }
        }
        Ok(listing)
    }

    /// Whether it has the chains and sets that we make, and no others.
    pub fn has_our_shape(&self) -> bool {
        let names = |kind: &str| -> BTreeSet<&str> {
            self.rules.iter().filter_map(|object| object.get(kind)?.get("name")?.as_str()).collect()
        };
        names("chain") == BTreeSet::from(CHAINS) && names("set") == BTreeSet::from(SETS)
    }

    fn add(&mut self, set: &str, element: &Value) -> Option<()> {
        match set {
            "vips4" | "vips6" => drop(self.plan.addresses.insert(address(element)?)),
            "muted4" | "muted6" => drop(self.plan.muted.insert(address(element)?)),
            "services4" | "services6" => drop(self.plan.services.insert(service(element)?)),
            _ => return None,
        }
        Some(())
    }
}

fn address(element: &Value) -> Option<IpAddr> {
    element.as_str()?.parse().ok()
}

fn service(element: &Value) -> Option<(IpAddr, Transport, Port)> {
    let [ip, transport, port] = element.get("concat")?.as_array()?.as_slice() else { return None };
    let transport = match transport.as_str()? {
        "tcp" => Transport::Tcp,
        "udp" => Transport::Udp,
        _ => return None,
    };
    Some((address(ip)?, transport, Port::new(port.as_u64()?.try_into().ok()?)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &str = r#"{"nftables": [
        {"metainfo": {"version": "1.0.6", "json_schema_version": 1}},
        {"table": {"family": "inet", "name": "novaedge", "handle": 3}},
        {"set": {"family": "inet", "name": "vips4", "table": "novaedge", "type": "ipv4_addr", "handle": 1, "elem": ["10.200.0.20"]}},
        {"set": {"family": "inet", "name": "services6", "table": "novaedge", "handle": 4,
                 "type": ["ipv6_addr", "inet_proto", "inet_service"],
                 "elem": [{"concat": ["2001:db8::50", "udp", 53]}]}},
        {"rule": {"family": "inet", "table": "novaedge", "chain": "vip4", "handle": 9, "expr": [{"drop": null}]}}]}"#;

    #[test]
    fn elements_become_the_plan_and_the_rest_is_kept_for_comparison() {
        let listing = Listing::read(PRINTED.as_bytes()).unwrap();
        assert_eq!(listing.plan.addresses, BTreeSet::from(["10.200.0.20".parse().unwrap()]));
        let dns = ("2001:db8::50".parse().unwrap(), Transport::Udp, Port::new(53).unwrap());
        assert_eq!(listing.plan.services, BTreeSet::from([dns]));
        assert_eq!(listing.rules.len(), 4);
        let more = PRINTED.replace(r#""10.200.0.20""#, r#""10.200.0.20", "10.200.0.21""#);
        assert_eq!(Listing::read(more.as_bytes()).unwrap().rules, listing.rules);
        let other = PRINTED.replace("drop", "accept");
        assert_ne!(Listing::read(other.as_bytes()).unwrap().rules, listing.rules);
    }

    #[test]
    fn elements_that_we_never_write_are_told_apart() {
        for theirs in [r#"{"prefix": {"addr": "10.0.0.0", "len": 8}}"#, r#""eth0""#, "7"] {
            let printed = PRINTED.replace(r#""10.200.0.20""#, theirs);
            assert!(matches!(Listing::read(printed.as_bytes()), Err(Unreadable::Unexpected(_))), "{theirs}");
        }
    }
}
