//! NovaEdge gives a bare-metal Kubernetes cluster, or a handful of Linux hosts, stable external
//! addresses, and serves the traffic that arrives on them.
//!
//! Imports point down, never sideways or up (`tests/integration/layering.rs` keeps it):
//!
//! ```text
//! 5  cli/                                   people's words → configuration; who feeds whom
//! 4  controller/  agent/  standalone/       the loops: wait → call pure code → hand the result to drivers
//! 3  manifests/ k8s/ wire/ routing/ l2/ netfilter/ proxy/   drivers: each owns ONE thing outside the process
//! 2  compile/  plan/                        PURE: what users wrote → what is true;  truth + facts → what to do
//! 1  api/  model/                           PURE: nouns as written;  nouns as validated
//! 0  runtime/  host/                        domain-free tools
//! ```

pub mod agent;
pub mod api;
pub mod cli;
pub mod compile;
pub mod controller;
pub mod host;
pub mod k8s;
pub mod l2;
pub mod manifests;
pub mod model;
pub mod netfilter;
pub mod plan;
pub mod proxy;
pub mod routing;
pub mod runtime;
pub mod standalone;
pub mod wire;
