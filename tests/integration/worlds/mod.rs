//! Whole worlds: nodes with an agent and a real routing daemon each, a ToR with a real FRR, and a client that counts
//! what it gets. What is asserted is what the contract promises; what is measured is printed.

// What was measured is part of a test's answer.
#![allow(clippy::print_stdout)]

mod announce;
mod attach;
mod backends;
mod chaos;
mod cluster;
mod deadman;
mod departing;
mod estate;
mod exposure;
mod fields;
mod hand;
mod kubectl;
mod leaving;
mod led;
mod mistakes;
mod ospf;
mod pace;
mod redundant;
mod replicas;
mod scale;
mod silence;
mod storm;
mod triggers;
