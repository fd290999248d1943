//! Which settings a VIP has written that a routing daemon has to carry out.
//!
//! The blocks are taken apart without `..`: a new field does not build until it has its row in
//! [`crate::model::capability`].

use crate::api::bfd::BfdConfig;
use crate::api::bgp::{BgpConfig, BgpPeer};
use crate::api::ospf::{OspfAuth, OspfConfig};
use crate::api::vip::{Mode, VipSpec};
use crate::model::capability::{Daemon, Field, Support, support};
use std::collections::BTreeSet;

/// Those of [`written`] that some daemon refuses: what a node has to look at.
pub fn needs(spec: &VipSpec) -> BTreeSet<Field> {
    let refused =
        |field: &Field| Daemon::ALL.into_iter().any(|daemon| support(*field, daemon) != Support::CarriedOut);
    written(spec).into_iter().filter(refused).collect()
}

/// Every setting that has been written.
pub fn written(spec: &VipSpec) -> BTreeSet<Field> {
    let bgp = spec.bgp_config.iter().filter(|_| spec.mode == Some(Mode::Bgp)).flat_map(of_bgp);
    let ospf = spec.ospf_config.iter().filter(|_| spec.mode == Some(Mode::Ospf)).flat_map(of_ospf);
    let bfd = spec.bfd.iter().flat_map(of_bfd);
    bgp.chain(ospf).chain(bfd).collect()
}

fn of_bgp(config: &BgpConfig) -> Vec<Field> {
    let BgpConfig {
        local_as,
        local_as_base,
        router_id,
        peers,
        communities,
        local_preference,
        med,
        as_path_prepend,
        graceful_restart,
    } = config;
    let own = chosen([
        (Field::Bgp, true),
        (Field::LocalAs, local_as.is_some() || local_as_base.is_some()),
        (Field::RouterId, router_id.is_some()),
        (Field::AttachMode, peers.is_empty()),
        (Field::Communities, !communities.is_empty()),
        (Field::LocalPreference, local_preference.is_some()),
        (Field::Med, med.is_some()),
        (Field::AsPathPrepend, as_path_prepend.is_some_and(|times| times > 0)),
        (Field::GracefulRestart, graceful_restart.as_ref().is_some_and(|restart| restart.enabled)),
    ]);
    own.chain(peers.iter().flat_map(of_peer)).collect()
}

fn of_peer(peer: &BgpPeer) -> impl Iterator<Item = Field> + use<> {
    let BgpPeer {
        address: _,
        r#as: _,
        port,
        password_secret_ref,
        hold_time,
        keepalive_time,
        ebgp_multihop,
        ttl_security,
        source_address,
        node_selector,
    } = peer;
    chosen([
        (Field::PeerAs, true),
        (Field::PeerPort, *port != 179),
        (Field::PeerPassword, password_secret_ref.is_some()),
        (Field::PeerTimers, hold_time.is_some() || keepalive_time.is_some()),
        (Field::PeerMultihop, ebgp_multihop.is_some()),
        (Field::PeerTtlSecurity, ttl_security.is_some()),
        (Field::PeerSource, source_address.is_some()),
        (Field::PeerNodeSelector, node_selector.is_some()),
    ])
}

fn of_ospf(config: &OspfConfig) -> impl Iterator<Item = Field> + use<> {
    let OspfConfig {
        router_id,
        area_id: _,
        cost: _,
        hello_interval: _,
        dead_interval: _,
        auth_type,
        auth_key: _,
        auth_key_secret_ref: _,
        graceful_restart,
        interfaces,
    } = config;
    chosen([
        (Field::Ospf, true),
        (Field::OspfRouterId, router_id.is_some()),
        (Field::OspfArea, true),
        (Field::OspfCost, true),
        (Field::OspfTimers, true),
        (Field::OspfSimple, *auth_type == OspfAuth::Simple),
        (Field::OspfMd5, *auth_type == OspfAuth::Md5),
        (Field::OspfGracefulRestart, *graceful_restart),
        (Field::OspfInterfaces, !interfaces.is_empty()),
    ])
}

fn of_bfd(config: &BfdConfig) -> impl Iterator<Item = Field> + use<> {
    let BfdConfig {
        enabled,
        detect_multiplier: _,
        desired_min_tx_interval: _,
        required_min_rx_interval: _,
        echo_mode,
        multihop,
    } = config;
    chosen([
        (Field::Bfd, *enabled),
        (Field::BfdEcho, *enabled && *echo_mode),
        (Field::BfdMultihop, *enabled && *multihop),
    ])
}

fn chosen<const N: usize>(fields: [(Field, bool); N]) -> impl Iterator<Item = Field> {
    fields.into_iter().filter(|(_, written)| *written).map(|(field, _)| field)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(yaml: &str) -> VipSpec {
        serde_saphyr::from_str(yaml).unwrap()
    }

    #[test]
    fn what_is_written_is_what_is_needed() {
        let bgp = "{mode: BGP, ports: [80], bgpConfig: {localAS: 1, med: 5, asPathPrepend: 0, \
                   peers: [{address: 10.0.0.1, as: 2, ttlSecurity: 1}]}, bfd: {echoMode: true}}";
        let found: Vec<_> = written(&spec(bgp)).into_iter().collect();
        use Field::*;
        assert_eq!(found, [Bgp, LocalAs, PeerAs, PeerTtlSecurity, Med, Bfd, BfdEcho]);
        assert_eq!(Vec::from_iter(needs(&spec(bgp))), [], "every daemon does all of it");
        let ospf = "{mode: OSPF, ports: [80], ospfConfig: {areaID: 0}}";
        assert_eq!(Vec::from_iter(needs(&spec(ospf))), [Ospf, OspfArea, OspfCost, OspfTimers]);
        let off = "{mode: BGP, ports: [80], bgpConfig: {localAS: 1}, bfd: {enabled: false, echoMode: true}}";
        assert_eq!(Vec::from_iter(written(&spec(off))), [Bgp, LocalAs, AttachMode]);
    }
}
