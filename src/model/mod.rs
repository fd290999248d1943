//! The nouns as validated: what is true, in types that cannot be wrong.
//!
//! `api` is what people write; `compile` turns it into these types, once, at the edge. Every
//! constructor here parses or refuses, so nothing downstream checks again: a [`net::HostRoute`] is a
//! host route, a [`bgp::Password`] holds no newline. The same holds on the way back from the disk or
//! the wire: checked types deserialize through their constructors (`#[serde(try_from)]`).
//!
//! | file | nouns |
//! |---|---|
//! | [`name`] | object names and keys |
//! | [`net`] | host routes, ports, families |
//! | [`bgp`] | AS numbers, communities, peers, path attributes |
//! | [`ospf`] | areas, costs, keys, the speaker |
//! | [`adjacency`] | OSPF neighbours |
//! | [`bfd`] | BFD session parameters |
//! | [`capability`] | what each routing daemon can do |
//! | [`vip`] | a virtual IP as one node serves it |
//! | [`http`] | hostnames, matches, rules |
//! | [`backend`] | upstream groups and their health checks |
//! | [`listener`] | what the proxy accepts, and where it goes |
//! | [`snapshot`] | one node's model at a generation |
//! | [`step`] | two sorted maps, walked through in step |
//! | [`attendance`] | an agent as a controller sees it |
//! | [`leaving`] | wishes to leave, and what becomes of them |
//! | [`term`] | who leads |
//! | [`observed`] | what the outside says: daemon, peers, addresses, listeners, backends |
//! | [`status`] | the answer to "how is this node doing?" |

pub mod adjacency;
pub mod attendance;
pub mod backend;
pub mod bfd;
pub mod bgp;
pub mod capability;
pub mod http;
pub mod leaving;
pub mod listener;
pub mod name;
pub mod net;
pub mod observed;
pub mod ospf;
pub mod snapshot;
pub mod status;
pub mod step;
pub mod term;
pub mod vip;

#[cfg(test)]
mod tests;
