//! Domain-free tools inside the process: tasks that cannot die unnoticed.

pub mod tasks;
