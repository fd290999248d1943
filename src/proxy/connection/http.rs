//! HTTP/1.1 and HTTP/2 on a client's connection.

use super::activity::Verdict;
use super::client::Client;
use super::io::ClientIo;
use super::preface::{self, Protocol};
use crate::proxy::admit::MAX_HEADERS;
use crate::proxy::stack;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;
use tokio::net::TcpStream;

/// Serves the connection until either side ends it.
pub async fn serve(client: Rc<Client>, mut stream: TcpStream) {
    let Some(Ok(begin)) = until_verdict(&client, pin!(preface::detect(&mut stream))).await else { return };
    let protocol = begin.0;
    client.speaks(protocol);
    let io = TokioIo::new(ClientIo::new(stream, begin, client.activity.clone(), client.clock()));
    let service = service_fn(|request| {
        let client = Rc::clone(&client);
        async move { Ok::<_, Infallible>(stack::answer(client, request).await) }
    });
    // What goes wrong on a client's connection is the client's to notice: both arms end in a closed socket.
    match protocol {
        Protocol::Http1 => {
            let connection = http1().serve_connection(io, service).with_upgrades();
            watch(&client, pin!(connection), |c| c.graceful_shutdown()).await;
        }
        Protocol::Http2 => {
            let connection = http2().serve_connection(io, service);
            watch(&client, pin!(connection), |c| c.graceful_shutdown()).await;
        }
    }
}

fn http1() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder.max_headers(MAX_HEADERS).max_header_size(64 * 1024).max_buf_size(64 * 1024);
    builder
}

fn http2() -> http2::Builder<Local> {
    let mut builder = http2::Builder::new(Local);
    builder
        .timer(TokioTimer::new())
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(10))
        .max_concurrent_streams(128)
        .initial_stream_window_size(256 * 1024)
        // Also the budget that h2 grants to small DATA frames: less would end chatty streams.
        .initial_connection_window_size(4 * 1024 * 1024)
        .max_header_list_size(32 * 1024)
        .max_send_buf_size(128 * 1024);
    builder
}

/// Runs futures of HTTP/2 streams on the core that has the connection.
#[derive(Clone)]
pub struct Local;

impl<F: Future + 'static> hyper::rt::Executor<F> for Local
where
    F::Output: 'static,
{
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
    }
}

/// Runs a connection as the reaper allows: on [`Verdict::Finish`], `finish` asks it to end.
async fn watch<C: Future>(client: &Client, mut connection: Pin<&mut C>, finish: impl Fn(Pin<&mut C>)) {
    let mut asked = false;
    poll_fn(|cx| {
        match client.poll_verdict(cx) {
            Verdict::Abort => return Poll::Ready(()),
            Verdict::Finish if !asked => {
                asked = true;
                finish(connection.as_mut());
            }
            Verdict::Finish | Verdict::Keep => {}
        }
        connection.as_mut().poll(cx).map(drop)
    })
    .await;
}

/// `None`: the reaper was quicker.
async fn until_verdict<F: Future>(client: &Client, mut future: Pin<&mut F>) -> Option<F::Output> {
    poll_fn(|cx| match client.poll_verdict(cx) {
        Verdict::Keep => future.as_mut().poll(cx).map(Some),
        Verdict::Finish | Verdict::Abort => Poll::Ready(None),
    })
    .await
}
