//! Byte streams: TCP listeners, and what HTTP connections become after an upgrade.
//!
//! Owns nothing; works on the sockets of a client and an endpoint. Called by: [`super::listener`] and
//! [`super::tunnel`]. What it keeps true: a half-close is passed on as a half-close and a reset as a reset,
//! so that neither side takes a broken stream for a finished one.
//!
//! | file | what |
//! |---|---|
//! | [`tcp`] | a client of a TCP listener |
//! | [`pump`] | bytes between two sockets |

pub mod pump;
pub mod tcp;
