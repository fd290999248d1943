//! The world NovaEdge is tested in: a client, a ToR router, a switch and nodes, as network namespaces of one
//! machine. Everything here is a real kernel and a real daemon; what is ours is only the wiring and the
//! watching. The crate does not know the `novaedge` package: a test that asks the lab gets a second
//! opinion, never our own words back.
//!
//! ```text
//!  client ── tor (FRR, AS 64500) ── sw (bridge) ─┬─ n1   FRR without configuration, two HTTP backends,
//!                                                ├─ n2   and the agent that the caller starts
//!                                                ├─ n3
//!                                                └─ control   for a controller
//! ```
//!
//! Needs root. A missing tool or a missing right is an error, never a skip. A [`Lab`] cleans up when it is
//! dropped, and when its process died before that, the next lab of the same name does. Labs of different
//! names run side by side.
//!
//! | file | what |
//! |---|---|
//! | [`lab`] | a whole world: ask it, silence a node |
//! | [`builder`] | how it comes to be |
//! | [`topology`] | names and addresses, pure; whose is a next hop, a connection |
//! | [`node`] | a node: FRR, backends, agent |
//! | [`kube`] | a real Kubernetes control plane |
//! | [`control`] | where a controller runs, and the certificates of an estate |
//! | [`tor`] | the ToR: how it peers, what it says about its peers |
//! | [`ospf`] | the same for OSPF |
//! | [`fib`] | the ToR's kernel FIB by netlink, with times |
//! | [`probe`] | the prober: thousands of requests a second, each remembered |
//! | [`visit`], [`mod@ping`] | single requests, connections, pings |
//! | [`backend`], [`listen`] | what is served: an HTTP backend, a greeting listener |
//! | [`mod@bird`] | one BIRD, and questions to it |
//! | [`gobgp`] | one gobgpd, and its command line |
//! | [`frr`], [`vty`] | one FRR instance; talking to its daemons |
//! | [`patient`] | reads that a signal does not end |
//! | [`process`] | a program in a namespace: kill, stop, restart |
//! | [`switch`] | the switch that silences nodes |
//! | [`netns`] | a network namespace: run a closure, a program, `ip`, `nft` in it; ends what runs in it |
//! | [`mod@eventually`] | the one place that waits for something to become true |
//! | [`http1`] | an HTTP/1.1 answer read byte by byte, pure |
//! | [`state`] | what a lab keeps on the disk, and the removal of remains |
//! | `wiring` | cables and variables, pure |
//! | [`cli`] | the program `lab` |

pub mod backend;
pub mod bird;
pub mod builder;
pub mod cli;
pub mod control;
pub mod eventually;
pub mod fib;
pub mod frr;
pub mod gobgp;
pub mod http1;
pub mod kube;
pub mod lab;
pub mod listen;
pub mod netns;
pub mod node;
pub mod ospf;
pub mod patient;
pub mod ping;
pub mod probe;
pub mod process;
pub mod state;
pub mod switch;
pub mod topology;
pub mod tor;
pub mod visit;
pub mod vty;
mod wiring;

pub use bird::Bird;
pub use builder::RoutingDaemon;
pub use eventually::{eventually, eventually_async};
pub use fib::{Fib, FibWatch, NextHop, NextHops};
pub use frr::Frr;
pub use gobgp::Gobgp;
pub use lab::Lab;
pub use netns::{Netns, OwnedNetns};
pub use node::{Node, Routing};
pub use ping::ping;
pub use probe::{Outcome, Probe, Report, Sample, Traffic, Window};
pub use process::{Process, Program};
pub use topology::NodeId;
pub use visit::{Knock, Response, h2c_get, http_get, tcp_connect};
pub use vty::Vty;
