//! Domain-free tools inside the process: tasks that cannot die unnoticed, waits between attempts, log lines.

pub mod backoff;
pub mod shutdown;
pub mod tasks;
pub mod telemetry;
