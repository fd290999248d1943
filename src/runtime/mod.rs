//! Domain-free tools inside the process: tasks that cannot die unnoticed, waits between attempts, questions
//! with answers, log lines, a connection for gRPC.

pub mod ask;
pub mod backoff;
pub mod channel;
pub mod shutdown;
pub mod tasks;
pub mod telemetry;
