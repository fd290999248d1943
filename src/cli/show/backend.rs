//! `backend status`.

use super::of;
use crate::cli::table::Table;
use crate::model::status::NodeStatus;

/// Every endpoint of every backend, as this node's health checks see it.
pub fn backend_status(status: &NodeStatus) -> String {
    if status.served.backends.is_empty() {
        return format!("No backends on {}.\n", status.node);
    }
    let mut table = Table::new(["BACKEND", "HEALTHY", "ENDPOINT", "HEALTH"]);
    for (key, backend) in &status.served.backends {
        let healthy = of(backend.healthy(), backend.endpoints.len());
        if backend.endpoints.is_empty() {
            table.row([key.to_string(), healthy.clone(), String::new(), String::new()]);
        }
        for (endpoint, health) in &backend.endpoints {
            table.row([key.to_string(), healthy.clone(), endpoint.to_string(), format!("{health:?}")]);
        }
    }
    table.to_string()
}
