//! What the guard does in gobgpd: gobgpd does not look at the node's addresses, so somebody has to for it.

use super::Endpoint;
use super::client::{CallError, Client};
use super::have::Paths;
use super::observe::io;
use super::path;
use super::proto::{AddPathStreamRequest, GetBgpRequest};
use crate::model::net::HostRoute;
use std::collections::BTreeSet;
use std::io::Result;

/// Withdraws what the node does not have any more, whoever announced it.
#[derive(Debug)]
pub struct Withdrawer {
    client: Client,
    paths: Paths,
}

impl Withdrawer {
    /// Connects when it is first used.
    pub fn new(endpoint: Endpoint) -> Self {
        Self { client: Client::new(endpoint), paths: Paths::default() }
    }

    /// Our host routes that gobgpd announces.
    ///
    /// # Errors
    /// gobgpd does not answer, or refuses to tell.
    pub async fn announced(&mut self) -> Result<BTreeSet<HostRoute>> {
        self.try_announced().await.map_err(io)
    }

    async fn try_announced(&mut self) -> std::result::Result<BTreeSet<HostRoute>, CallError> {
        if self.client.get_bgp(GetBgpRequest {}).await?.global.unwrap_or_default().asn == 0 {
            return Ok(BTreeSet::new());
        }
        self.paths.refresh(&mut self.client).await?;
        Ok(self.paths.ours.keys().copied().collect())
    }

    /// # Errors
    /// gobgpd does not answer, or refuses.
    pub async fn withdraw(&mut self, routes: &[HostRoute]) -> Result<()> {
        if routes.is_empty() {
            return Ok(());
        }
        self.paths.forget();
        let version = self.client.version().await.map_err(io)?;
        let paths = routes.iter().map(|route| path::withdrawal(*route)).collect();
        let message = AddPathStreamRequest { table_type: version.number(0), paths };
        self.client.add_path_stream(vec![message]).await.map_err(io)
    }
}
