//! Bodies stream both ways, in pieces as they come, never gathered.

use super::client::{self, Raw, status};
use super::endpoint::{self, Endpoint};
use super::stage::{Stage, backend, http, play, vip};
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use novaedge::model::backend::UpstreamProtocol;
use std::convert::Infallible;
use std::time::Duration;
use tokio::io::AsyncWriteExt;

const PIECE: usize = 16 * 1024;
const PIECES: usize = 512;

/// Sends what it gets, as it gets it.
async fn mirror() -> Endpoint {
    Endpoint::http(async |request: Request<hyper::body::Incoming>| Response::new(request.into_body().boxed()))
        .await
}

fn pieces() -> StreamBody<impl futures_util::Stream<Item = Result<Frame<Bytes>, Infallible>>> {
    let piece = |n: usize| Ok(Frame::data(Bytes::from(vec![n as u8; PIECE])));
    StreamBody::new(stream::iter((0..PIECES).map(piece)))
}

fn assert_whole(body: &[u8]) {
    assert_eq!(body.len(), PIECE * PIECES);
    for (n, piece) in body.chunks(PIECE).enumerate() {
        assert!(piece.iter().all(|&byte| byte == n as u8), "piece {n}");
    }
}

#[test]
fn eight_mebibytes_go_there_and_back() {
    play("mirror", async |stage: &mut Stage| {
        let endpoint = mirror().await;
        for protocol in [UpstreamProtocol::Http1, UpstreamProtocol::H2c] {
            let mut spoken = backend(&[endpoint.address]);
            spoken.protocol = protocol;
            stage.serve(&http(spoken)).await;
            let mut http1 = client::http1(vip()).await;
            let request = Request::post("/").header("host", "www.example.com").body(pieces()).unwrap();
            let response = http1.send_request(request).await.unwrap();
            assert_whole(&response.into_body().collect().await.unwrap().to_bytes());
            let mut http2 = client::http2(vip()).await;
            let request = Request::post("http://www.example.com/").body(pieces()).unwrap();
            let response = http2.send_request(request).await.unwrap();
            assert_whole(&response.into_body().collect().await.unwrap().to_bytes());
        }
    });
}

/// An endpoint that does not read stops the client: what is in between is only what sockets hold.
#[test]
fn an_endpoint_that_does_not_read_stops_the_client() {
    play("backpressure", async |stage: &mut Stage| {
        let endpoint = Endpoint::raw(async |mut stream| {
            endpoint::head(&mut stream).await;
            std::future::pending::<()>().await;
        })
        .await;
        stage.serve(&http(backend(&[endpoint.address]))).await;
        let mut client = Raw::to(vip()).await;
        client.say("POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 268435456\r\n\r\n").await;
        let mut taken = 0;
        let piece = vec![0; 256 * 1024];
        while let Ok(written) = tokio::time::timeout(Duration::from_millis(500), client.0.write(&piece)).await
        {
            taken += written.unwrap();
            assert!(taken < 64 << 20, "the proxy gathers the body");
        }
    });
}

#[test]
fn a_client_that_asks_first_is_told_to_go_on() {
    play("expect", async |stage: &mut Stage| {
        let endpoint = Endpoint::echo("a").await;
        stage.serve(&http(backend(&[endpoint.address]))).await;
        let mut client = Raw::to(vip()).await;
        let head = "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
        let (interim, _) = client.say(head).await.response().await;
        assert_eq!(interim, "HTTP/1.1 100 Continue");
        let (head, body) = client.say("hello").await.response().await;
        assert_eq!(status(&head), "200");
        assert!(body.contains("body: 5") && !body.contains("expect"), "{body}");
    });
}

#[test]
fn a_client_that_asks_first_is_told_when_there_is_no_point() {
    play("expect-not", async |stage: &mut Stage| {
        stage.serve(&http(backend(&[]))).await;
        let mut client = Raw::to(vip()).await;
        let head = "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
        let (answer, _) = client.say(head).await.response().await;
        assert_eq!(status(&answer), "503");
    });
}

#[test]
fn trailers_reach_whoever_can_take_them() {
    play("trailers", async |stage: &mut Stage| {
        let endpoint = Endpoint::http(async |_| {
            let mut trailers = HeaderMap::new();
            trailers.insert("x-sum", HeaderValue::from_static("42"));
            let frames = [Ok(Frame::data(Bytes::from_static(b"data"))), Ok(Frame::trailers(trailers))];
            let mut response = Response::new(BodyExt::boxed(StreamBody::new(stream::iter(frames))));
            response.headers_mut().insert("trailer", HeaderValue::from_static("x-sum"));
            response
        })
        .await;
        for protocol in [UpstreamProtocol::Http1, UpstreamProtocol::H2c] {
            let mut spoken = backend(&[endpoint.address]);
            spoken.protocol = protocol;
            stage.serve(&http(spoken)).await;
            let ask = "GET / HTTP/1.1\r\nHost: a.example\r\nTE: trailers\r\nConnection: TE, close\r\n\r\n";
            let answer = client::raw(vip(), ask).await.unwrap();
            assert!(answer.ends_with("4\r\ndata\r\n0\r\nx-sum: 42\r\n\r\n"), "{protocol:?}: {answer}");
            let mut http2 = client::http2(vip()).await;
            let request = Request::get("http://a.example/").header("te", "trailers").body(pieces()).unwrap();
            let response = http2.send_request(request).await.unwrap();
            let whole = response.into_body().collect().await.unwrap();
            assert_eq!(whole.trailers().unwrap()["x-sum"], "42", "{protocol:?}");
        }
    });
}

/// A refusal that comes while the body is still being sent reaches the client, instead of a reset.
#[test]
fn a_refusal_overtakes_the_body_it_is_about() {
    play("early", async |stage: &mut Stage| {
        stage.serve(&http(backend(&[]))).await;
        let mut client = Raw::to(vip()).await;
        client.say("POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 8388608\r\n\r\n").await;
        for _ in 0..128 {
            client.0.write_all(&[0; 65536]).await.unwrap();
        }
        let (answer, body) = client.response().await;
        assert_eq!((status(&answer), body.as_str()), ("503", "no healthy endpoint\n"));
    });
}
