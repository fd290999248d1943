//! The L4/L7 proxy: TCP, HTTP/1.1 and HTTP/2 (cleartext, by prior knowledge) behind the VIPs.
//!
//! Owns: the listening sockets, the clients' connections and those to endpoints. Called by: the agent's
//! loop, through two `watch` channels; nobody else. What it keeps true:
//!
//! * **The plan is the whole truth.** What it does not name is closed, gracefully; an equal plan disturbs
//!   nothing; a change meets the next request and breaks no connection.
//! * **It serves VIP addresses and nothing else**, whatever the sockets listen on.
//! * **Nobody takes half a message for a whole one**: bodies stream, and what breaks is broken on both sides.
//! * **A core shares no lock with another**, and no request waits for anything but its client, its endpoint
//!   and its turn.
//!
//! ```text
//! listener ─▶ connection ─▶ stack ─▶ admit ─▶ router ─▶ balance ─▶ forward ─▶ upstream
//!    │                        │                                      │
//!    └─▶ l4 (bytes)           └─▶ respond (refusals)                 └─▶ tunnel (WebSocket)
//! ```
//!
//! | file | what |
//! |---|---|
//! | [`drive`] | the control task: plans in, reports out |
//! | [`cores`], [`core`], [`table`] | the threads, one of them, and what it serves |
//! | [`listener`], [`connection`] | from a port to a client's request |
//! | [`stack`] | a request's way, step by step |
//! | [`admit`], [`headers`], [`outgoing`], [`body`] | what a request may be, and what is passed on of it |
//! | [`router`], [`balance`] | which rule, which backend, which endpoint (pure) |
//! | [`forward`], [`upstream`], [`tunnel`] | getting it answered |
//! | [`respond`] | what is said when nobody answers |
//! | [`probe`] | which endpoints are healthy |
//! | [`l4`] | byte streams |
//! | [`measure`], [`traffic`], [`metrics`] | what is in flight, where, and what is counted |

mod admit;
mod balance;
mod body;
mod connection;
mod core;
mod cores;
mod drive;
mod forward;
mod headers;
mod l4;
mod listener;
mod measure;
mod metrics;
mod outgoing;
mod probe;
mod respond;
mod router;
mod stack;
mod table;
mod traffic;
mod tunnel;
mod upstream;

pub use drive::{Options, drive};
pub use metrics::Metrics;
