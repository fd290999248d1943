//! What a daemon must bring to be tested.

use novaedge::routing::Daemon;
use novaedge_lab::Node;
use novaedge_lab::builder::Builder;
use std::time::Duration;

pub trait Fixture {
    type Driver: Daemon + 'static;

    /// As [`novaedge::model::observed::DaemonVersion`] names it.
    const NAME: &'static str;

    /// The processes that make up the daemon; each may be restarted by somebody.
    const PROCESSES: &'static [&'static str];

    /// Those of them that take part when OSPF is spoken.
    const OSPF_PROCESSES: &'static [&'static str] = Self::PROCESSES;

    /// Whether its OSPFv3 understands the ToR's MD5.
    const MD5_IN_VERSION_3: bool = true;

    /// How much longer the ToR needs to give up a route of its OSPF, once it knows that the node is gone.
    const OSPF_GIVEN_UP_LATER: Duration = Duration::ZERO;

    /// A lab whose nodes run the daemon.
    fn lab(builder: Builder) -> Builder {
        builder
    }

    /// A driver for the daemon on `node`, which runs and has no configuration.
    fn driver(node: &Node) -> Self::Driver;

    /// Ends one of [`Self::PROCESSES`] without warning and starts it again. Returns when it answers.
    fn crash(node: &Node, process: &str);

    /// Freezes the process that announces, or lets it go on.
    fn freeze(node: &Node, frozen: bool);

    /// An operator configures, in the instance of AS 64501: a neighbour 10.0.0.77 of AS 64777 and the prefix
    /// 10.99.0.0/24, and announces 10.200.0.99/32 on their own account.
    fn operate(node: &Node);

    /// An operator's session with the ToR, in the same instance.
    fn peer_with_the_tor(node: &Node);

    /// The operator's lines among all that the daemon has.
    fn operators_lines(node: &Node) -> Vec<String>;

    /// All lines about NovaEdge's objects that the daemon has.
    fn our_lines(node: &Node) -> Vec<String>;
}
