//! The messages and services of `proto/gobgp/`, as the build generates them.

#![allow(missing_debug_implementations, clippy::pedantic, clippy::all)]

mod gobgp {
    tonic::include_proto!("gobgp");
}

/// The service of GoBGP 3.
pub mod apipb {
    tonic::include_proto!("apipb");
}

/// The service of GoBGP 4.
pub mod api {
    tonic::include_proto!("api");
}

pub use gobgp::*;
