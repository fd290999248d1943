//! TCP listeners: bytes both ways.

use super::client::Raw;
use super::endpoint::Endpoint;
use super::stage::{Stage, backend, play, tcp, vip};
use std::io::ErrorKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[test]
fn a_half_close_is_passed_on_as_a_half_close() {
    play("half-close", async |stage: &mut Stage| {
        // Reads all there is, and only then answers.
        let endpoint = Endpoint::raw(async |mut stream| {
            let mut all = Vec::new();
            stream.read_to_end(&mut all).await.unwrap();
            stream.write_all(format!("{} bytes", all.len()).as_bytes()).await.unwrap();
        })
        .await;
        stage.serve(&tcp(backend(&[endpoint.address]))).await;
        let mut client = Raw::to(vip()).await;
        client.0.write_all(&vec![7; 3_000_000]).await.unwrap();
        client.0.shutdown().await.unwrap();
        assert_eq!(client.rest().await.unwrap(), "3000000 bytes");
    });
}

#[test]
fn without_an_endpoint_the_client_is_reset() {
    play("tcp-reset", async |stage: &mut Stage| {
        let gone = { Endpoint::echo("gone").await.address };
        stage.serve(&tcp(backend(&[gone]))).await;
        let reset = match Raw::try_to(vip()).await {
            Ok(mut client) => client.rest().await.unwrap_err(),
            Err(quickly) => quickly,
        };
        assert_eq!(reset.kind(), ErrorKind::ConnectionReset);
    });
}
