//! Client connections: from the accepted socket to its end.
//!
//! Owns the sockets of clients. Called by: [`super::listener`] for each accepted socket. What it keeps
//! true: a client that stalls, idles or hides is let go of by the clock, never by luck; a connection
//! that should end does so between two requests, and its last response arrives.
//!
//! | file | what |
//! |---|---|
//! | [`client`] | one connection, as everything that serves it knows it |
//! | [`activity`] | what it last did, and what is to become of it (pure) |
//! | [`reaper`] | the connections of one core |
//! | [`preface`] | HTTP/1 or HTTP/2, told from the first bytes |
//! | [`io`] | the socket, as hyper reads and writes it |
//! | [`http`] | the protocols on it |

pub mod activity;
pub mod client;
pub mod http;
pub mod io;
pub mod preface;
pub mod reaper;
