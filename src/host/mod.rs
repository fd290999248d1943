//! Domain-free tools around the machine: files, processes.

pub mod file;
pub mod process;
