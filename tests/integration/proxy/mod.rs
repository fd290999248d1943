//! The proxy alone, by its plan and its sockets: real clients on one side, real endpoints on the other,
//! everything in a network namespace that has the VIPs on its loopback device.
//!
//! | file | what |
//! |---|---|
//! | [`stage`] | a proxy in a namespace, and the words to write its plans with |
//! | [`endpoint`] | endpoints to forward to, well-behaved and not |
//! | [`client`] | clients that show what really went over the wire |
//! | [`load`] | clients that keep asking, and count what goes wrong |
//! | the others | one promise each |

mod client;
mod drain;
mod endpoint;
mod failover;
mod http1;
mod http2;
mod load;
mod ports;
mod smuggling;
mod stage;
mod streaming;
mod tcp;
mod websocket;
