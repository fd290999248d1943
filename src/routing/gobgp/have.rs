//! What gobgpd has: read back, never remembered, but for the paths, which are read again when gobgpd counts others.

use super::client::{CallError, Client, Version};
use super::path::{self, IDENTIFIER, IPV4, IPV6, Said};
use super::peer;
use super::policy::{OURS, kinds};
use super::proto::*;
use crate::model::net::HostRoute;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// The table of policies for everybody, as gobgpd calls it.
pub const GLOBAL: &str = "global";
pub const IMPORT: u32 = 1;
pub const EXPORT: u32 = 2;

#[derive(Debug, Default)]
pub struct Have {
    /// AS 0: BGP has not been started.
    pub global: Global,
    pub peers: BTreeMap<IpAddr, Peer>,
    pub policies: Vec<Policy>,
    /// Ours.
    pub sets: Vec<DefinedSet>,
    /// By direction: import, export.
    pub assigned: [PolicyAssignment; 2],
}

impl Have {
    pub fn started(&self) -> bool {
        self.global.asn != 0
    }

    pub fn foreign_peers(&self) -> impl Iterator<Item = IpAddr> {
        self.peers.iter().filter(|(_, peer)| !peer::is_ours(peer)).map(|(address, _)| *address)
    }

    /// Policies that the operator has in gobgpd's lists.
    pub fn foreign_policies(&self) -> bool {
        self.assigned.iter().flat_map(|one| &one.policies).any(|policy| !policy.name.starts_with(OURS))
    }
}

/// Everything but the paths.
pub async fn read(client: &mut Client) -> Result<Have, CallError> {
    let version = client.version().await?;
    let global = client.get_bgp(GetBgpRequest {}).await?.global.unwrap_or_default();
    if global.asn == 0 {
        return Ok(Have { global, ..Have::default() });
    }
    let peers = peers(client, false).await?;
    let listed = client.list_policy(ListPolicyRequest::default()).await?;
    let ours = |name: &str| name.starts_with(OURS);
    let policies = listed.into_iter().filter_map(|one| one.policy).filter(|one| ours(&one.name)).collect();
    let mut sets = Vec::new();
    for defined_type in kinds(version) {
        let request = ListDefinedSetRequest { defined_type, ..ListDefinedSetRequest::default() };
        let listed = client.list_defined_set(request).await?;
        sets.extend(listed.into_iter().filter_map(|one| one.defined_set).filter(|one| ours(&one.name)));
    }
    let mut assigned: [PolicyAssignment; 2] = Default::default();
    for (direction, one) in [IMPORT, EXPORT].into_iter().zip(&mut assigned) {
        let request = ListPolicyAssignmentRequest { name: GLOBAL.to_owned(), direction };
        let listed = client.list_policy_assignment(request).await?;
        *one = listed.into_iter().find_map(|one| one.assignment).unwrap_or_default();
    }
    Ok(Have { global, peers, policies, sets, assigned })
}

pub async fn peers(client: &mut Client, advertised: bool) -> Result<BTreeMap<IpAddr, Peer>, CallError> {
    let request = ListPeerRequest { enable_advertised: advertised, ..ListPeerRequest::default() };
    let listed = client.list_peer(request).await?;
    let peers = listed.into_iter().filter_map(|one| one.peer);
    Ok(peers.filter_map(|one| Some((peer::address(&one)?, one))).collect())
}

/// The host routes in gobgpd's table that nobody told it by BGP.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Paths {
    pub ours: BTreeMap<HostRoute, Said>,
    /// The operator's.
    pub theirs: BTreeSet<HostRoute>,
    /// By which it shows that somebody has changed something: restarts seen, and how many paths there were.
    as_of: Option<(u64, [u64; 2])>,
}

impl Paths {
    /// Reads them again unless nothing has changed since.
    pub async fn refresh(&mut self, client: &mut Client) -> Result<(), CallError> {
        let version = client.version().await?;
        let counted = (client.restarts(), counts(client, version).await?);
        if self.as_of == Some(counted) {
            return Ok(());
        }
        *self = Self::default();
        for family in [IPV4, IPV6] {
            let request = ListPathRequest {
                table_type: version.number(0),
                family: Some(family),
                enable_only_binary: true,
            };
            let listed = client.list_path(request).await?;
            let paths = listed.into_iter().filter_map(|one| one.destination).flat_map(|one| one.paths);
            // What a neighbour told has that neighbour's address.
            for path in paths.filter(|path| path.neighbor_ip.parse::<IpAddr>().is_err()) {
                let Some(route) = path::route(&path) else { continue };
                if path.identifier == IDENTIFIER {
                    self.ours.insert(route, path::said(&path));
                } else {
                    self.theirs.insert(route);
                }
            }
        }
        self.as_of = Some(counted);
        Ok(())
    }

    /// Whatever is known may be wrong now.
    pub fn forget(&mut self) {
        self.as_of = None;
    }
}

async fn counts(client: &mut Client, version: Version) -> Result<[u64; 2], CallError> {
    let mut counted = [0; 2];
    for (family, count) in [IPV4, IPV6].into_iter().zip(&mut counted) {
        let request = GetTableRequest { table_type: version.number(0), family: Some(family) };
        *count = client.get_table(request).await?.num_path;
    }
    Ok(counted)
}
