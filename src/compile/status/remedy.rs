//! What to do about a reason. `NODE` stands for the node's name.

/// For the reasons of `model::status` and those of a controller. What mends itself gets patience as advice;
/// a word of a later version gets none.
pub fn of(reason: &str) -> Option<String> {
    let advice = match reason {
        "NoAgent" => "start novaedge-agent on NODE, and see in its log that it reaches the controller",
        "AgentSilent" => {
            "see on NODE whether novaedge-agent runs (novaedge-agent status), and in its log why it does not \
             reach the controller"
        }
        "NoSnapshot" | "NotReported" => "wait a moment; if it stays so, the agent's log on NODE says why",
        "PortInUse" => "on NODE: ss -ltnp shows who listens; stop it, or give the VIP another port",
        "PortFailed" => {
            "the agent's log on NODE says more; binding ports below 1024 takes CAP_NET_BIND_SERVICE"
        }
        "PortNotBound" => "wait a moment; the proxy on NODE is about to listen",
        "NotGuarded" => "on NODE: nft list table inet novaedge; the agent needs CAP_NET_ADMIN",
        "AddressNotHeld" => "on NODE: ip address show dev lo; the agent needs CAP_NET_ADMIN",
        "DaemonNotAnswering" => {
            "see on NODE whether the routing daemon runs (systemctl status frr, or bird); the agent looks for it \
             where --frr-sockets or --bird-socket says"
        }
        "NoHealthyBackend" => "on NODE: novaedge-agent backend status shows each endpoint and its health",
        "BackendsUnchecked" => "wait for the first health checks",
        "DaemonCannot" => {
            "write it otherwise, or run on NODE a routing daemon that can: docs/daemons/matrix.md"
        }
        "DaemonRefused" => {
            "on NODE, vtysh -c 'show running-config' or birdc show route shows what stands in the way"
        }
        "NotInDaemon" => "wait a moment; if it stays so, see on NODE: novaedge-agent bgp status",
        "NoPeerUp" | "PeerDown" => {
            "on NODE: novaedge-agent bgp status; address, AS and password must agree on both ends, and TCP \
             port 179 must pass between them"
        }
        "Leaving" => "take back what it leaves for: uncordon it, or say novaedge-agent undrain on NODE",
        "Held" => "make another node healthy, or lower spec.healthPolicy.minHealthyNodes",
        _ => return None,
    };
    Some(advice.to_owned())
}
