//! One process without Kubernetes: the manifests of a directory, compiled and carried out on this node.

pub mod source;
