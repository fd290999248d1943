//! Clients that show what really went over the wire.

use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A connection on which a test writes and reads bytes.
pub struct Raw(pub TcpStream);

impl Raw {
    pub async fn to(address: SocketAddr) -> Self {
        Self::try_to(address).await.unwrap()
    }

    pub async fn try_to(address: SocketAddr) -> std::io::Result<Self> {
        TcpStream::connect(address).await.map(Self)
    }

    pub async fn say(&mut self, words: &str) -> &mut Self {
        self.0.write_all(words.as_bytes()).await.unwrap();
        self
    }

    /// Everything until the proxy closes; an error if it resets.
    pub async fn rest(&mut self) -> std::io::Result<String> {
        let mut answer = Vec::new();
        self.0.read_to_end(&mut answer).await?;
        Ok(String::from_utf8(answer).unwrap())
    }

    /// One response with a `Content-Length` or none: its head and its body.
    pub async fn response(&mut self) -> (String, String) {
        let head = super::endpoint::head(&mut self.0).await;
        let length = head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        let mut body = vec![0; length.map_or(0, |(_, value)| value.parse().unwrap())];
        self.0.read_exact(&mut body).await.unwrap();
        (head, String::from_utf8(body).unwrap())
    }
}

/// Says it on a connection of its own and returns everything until the proxy closes.
pub async fn raw(address: SocketAddr, words: &str) -> std::io::Result<String> {
    let mut client = Raw::try_to(address).await?;
    client.0.write_all(words.as_bytes()).await?;
    client.rest().await
}

pub fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}

/// A connection that speaks HTTP/1.1 for as long as both sides like.
pub async fn http1<B>(address: SocketAddr) -> http1::SendRequest<B>
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let stream = TcpStream::connect(address).await.unwrap();
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection.with_upgrades());
    sender
}

/// The same in HTTP/2, by prior knowledge.
pub async fn http2<B>(address: SocketAddr) -> http2::SendRequest<B>
where
    B: Body + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let stream = TcpStream::connect(address).await.unwrap();
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

pub fn get(target: &str) -> http::request::Builder {
    Request::get(target).header("host", "www.example.com")
}

pub async fn text(response: Response<Incoming>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}
