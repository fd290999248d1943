//! A client of a TCP listener: one connection to an endpoint, and bytes both ways.

use super::pump;
use crate::proxy::connection::activity::Verdict;
use crate::proxy::connection::client::Client;
use crate::proxy::measure::Flight;
use crate::proxy::table::Split;
use crate::proxy::upstream::connect;
use crate::proxy::upstream::endpoint::Outstanding;
use bytes::Bytes;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;
use tokio::net::TcpStream;

const ATTEMPTS: usize = 4;

/// Serves the connection until either side ends it. Without an endpoint the client is reset.
pub async fn serve(client: Rc<Client>, stream: TcpStream, split: &Split) {
    let flight = Flight::begin(Rc::clone(&client), client.site());
    let Some((endpoint, mut outstanding)) = connect(&client, split).await else {
        pump::reset(&stream);
        return;
    };
    outstanding.answered(Instant::now());
    let clock = client.clock();
    let moved = || client.activity.awaited.restart(clock.now());
    moved();
    let mut streams = pin!(pump::between((stream, Bytes::new()), (endpoint, Bytes::new()), moved));
    poll_fn(|cx| match client.poll_verdict(cx) {
        // Quiet for too long: both sockets close.
        Verdict::Abort => Poll::Ready(()),
        Verdict::Keep | Verdict::Finish => streams.as_mut().poll(cx).map(drop),
    })
    .await;
    drop(flight);
}

async fn connect(client: &Client, split: &Split) -> Option<(TcpStream, Outstanding)> {
    let pool = split.draw(&mut client.core().dice())?.clone();
    let mut tried = Vec::new();
    for _ in 0..ATTEMPTS {
        let now = Instant::now();
        let chosen = pool.choose(&tried, now, &mut client.core().dice())?;
        let endpoint = &pool.members[chosen].endpoint;
        let outstanding = Outstanding::new(Arc::clone(endpoint), now);
        match connect::tcp(endpoint.address, pool.settings.connect_timeout).await {
            Ok(stream) => return Some((stream, outstanding)),
            Err(error) => {
                tracing::debug!(%error, "endpoint refuses");
                endpoint.refused(Instant::now());
                tried.push(chosen);
            }
        }
    }
    None
}
