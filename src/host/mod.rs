//! Domain-free tools around the machine: files, processes, sockets.

pub mod file;
pub mod process;
pub mod sockets;
