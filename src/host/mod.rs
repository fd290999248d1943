//! Domain-free tools around the machine: files, processes, sockets, and answers to who asks over one.

pub mod admin;
pub mod alone;
pub mod file;
pub mod kept;
pub mod process;
pub mod sockets;
