//! Upstream: endpoints, their health and connections to them.
//!
//! Owns: what we know of each endpoint, and the sockets towards it. Called by: [`super::forward`] and
//! [`super::l4`] for traffic, [`super::probe`] for health. What it keeps true: connections are never
//! shared between cores, knowledge about endpoints always is; nothing on the way of a request takes a lock.
//!
//! | file | what |
//! |---|---|
//! | [`endpoint`] | one endpoint, as all cores and the prober know it |
//! | [`registry`] | all endpoints, from plan to plan |
//! | [`pool`] | a backend as one core uses it |
//! | [`idle`] | one core's kept connections to one endpoint |
//! | [`connection`] | a connection, kept or new, that takes one request |
//! | [`connect`] | new connections |

pub mod connect;
pub mod connection;
pub mod endpoint;
pub mod idle;
pub mod pool;
pub mod registry;

pub use super::body::RequestBody;
