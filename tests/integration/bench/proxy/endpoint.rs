//! What the proxies forward to: an endpoint that costs next to nothing, on core 1 with the load.

use anyhow::{Context, Result};
use novaedge_lab::eventually;
use std::net::TcpStream;
use std::process::{Child, Command};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

pub const PORT: u16 = 18000;

/// Ends with the value.
pub struct Endpoint(Child);

impl Drop for Endpoint {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub fn start() -> Result<Endpoint> {
    let mut command = Command::new("taskset");
    command.args(["-c", "1"]).arg(std::env::current_exe()?).arg("endpoint");
    let endpoint = Endpoint(command.spawn().context("cannot start taskset")?);
    eventually("the endpoint listens", Duration::from_secs(10), || {
        TcpStream::connect(("127.0.0.1", PORT)).map(drop)
    })?;
    Ok(endpoint)
}

/// Answers each request head with 64 KiB if its path begins with `/l`, else with 1 KiB.
pub fn run() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let small: &'static [u8] = answer(1024).leak();
    let large: &'static [u8] = answer(64 * 1024).leak();
    runtime.block_on(async {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind(([127, 0, 0, 1], PORT).into())?;
        // A short queue would measure how long a SYN takes to be repeated.
        let listener = socket.listen(4096)?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            tokio::spawn(serve(stream, small, large));
        }
    })
}

fn answer(length: usize) -> Vec<u8> {
    let mut answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n").into_bytes();
    answer.resize(answer.len() + length, b'x');
    answer
}

async fn serve(mut stream: tokio::net::TcpStream, small: &[u8], large: &[u8]) -> Option<()> {
    let mut buffer = Vec::with_capacity(16 * 1024);
    while stream.read_buf(&mut buffer).await.ok()? > 0 {
        while let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            let answer = if buffer.starts_with(b"GET /l") { large } else { small };
            stream.write_all(answer).await.ok()?;
            buffer.drain(..end + 4);
        }
    }
    Some(())
}
