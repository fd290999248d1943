//! Clients that keep asking, and count what goes wrong.

use super::client;
use bytes::Bytes;
use http::header;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::SendRequest;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use tokio::task::JoinSet;

#[derive(Default)]
struct Tally {
    stop: AtomicBool,
    answered: AtomicUsize,
    /// How often which endpoint answered.
    by_endpoint: Mutex<BTreeMap<String, usize>>,
    failures: Mutex<Vec<String>>,
}

/// Each client sends one GET after the other on a kept connection, and reconnects when it is asked to.
pub struct Load {
    tally: Arc<Tally>,
    clients: JoinSet<()>,
}

impl Load {
    pub fn start(address: SocketAddr, clients: usize) -> Self {
        let tally = Arc::<Tally>::default();
        let mut tasks = JoinSet::new();
        for _ in 0..clients {
            tasks.spawn(run(address, Arc::clone(&tally)));
        }
        Self { tally, clients: tasks }
    }

    /// Returns when that many more requests have been answered.
    pub async fn another(&self, count: usize) {
        let until = self.tally.answered.load(Relaxed) + count;
        novaedge_lab::eventually_async("requests are answered", super::stage::SOON, async || {
            let answered = self.tally.answered.load(Relaxed);
            let failures = self.tally.failures.lock().unwrap().len();
            anyhow::ensure!(answered >= until, "{answered} of {until} answered, {failures} failed");
            Ok(())
        })
        .await
        .unwrap();
    }

    /// Who has answered how often since the last call.
    pub fn shares(&self) -> BTreeMap<String, usize> {
        std::mem::take(&mut self.tally.by_endpoint.lock().unwrap())
    }

    /// Ends the load, and returns what went wrong.
    pub async fn failures(self) -> Vec<String> {
        self.tally.stop.store(true, Relaxed);
        self.clients.join_all().await;
        std::mem::take(&mut self.tally.failures.lock().unwrap())
    }
}

async fn run(address: SocketAddr, tally: Arc<Tally>) {
    while !tally.stop.load(Relaxed) {
        let mut connection = client::http1(address).await;
        while !tally.stop.load(Relaxed) {
            match exchange(&mut connection, &tally).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(failure) => {
                    tally.failures.lock().unwrap().push(failure);
                    break;
                }
            }
        }
    }
}

/// Whether the connection may be used again.
async fn exchange(connection: &mut SendRequest<Empty<Bytes>>, tally: &Tally) -> Result<bool, String> {
    let failed = |error: hyper::Error| format!("{error:?}");
    connection.ready().await.map_err(failed)?;
    let request = client::get("/").body(Empty::new()).unwrap();
    let response = connection.send_request(request).await.map_err(failed)?;
    let (head, body) = response.into_parts();
    body.collect().await.map_err(failed)?;
    if head.status != 200 {
        return Err(head.status.to_string());
    }
    tally.answered.fetch_add(1, Relaxed);
    if let Some(name) = head.headers.get("x-endpoint") {
        *tally.by_endpoint.lock().unwrap().entry(name.to_str().unwrap().to_owned()).or_default() += 1;
    }
    Ok(head.headers.get(header::CONNECTION).is_none_or(|value| value != "close"))
}
