//! The messages and the service of `proto/novaedge/v1/estate.proto`, as the build generates them.

#![allow(missing_debug_implementations, clippy::pedantic)]

tonic::include_proto!("novaedge.v1");
