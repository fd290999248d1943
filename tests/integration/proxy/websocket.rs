//! Connections that become something else.

use super::client::{Raw, status};
use super::endpoint::{Endpoint, head};
use super::stage::{Stage, backend, http, play, vip};
use anyhow::ensure;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const SWITCHED: &str =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

/// Switches, greets, and sends back what it gets until it has got enough.
async fn switching() -> Endpoint {
    Endpoint::raw(async |mut stream| {
        let head = head(&mut stream).await;
        assert!(head.contains("upgrade: websocket") && head.contains("sec-websocket-key: x"), "{head}");
        stream.write_all(format!("{SWITCHED}welcome").as_bytes()).await.unwrap();
        let (mut from, mut to) = stream.split();
        let _ = tokio::io::copy(&mut from, &mut to).await;
    })
    .await
}

const ASK: &str = "GET /chat HTTP/1.1\r\nHost: a.example\r\nConnection: keep-alive, Upgrade\r\n\
                   Upgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n";

#[test]
fn after_the_handshake_bytes_go_both_ways_until_one_side_ends_it() {
    play("websocket", async |stage: &mut Stage| {
        let endpoint = switching().await;
        stage.serve(&http(backend(&[endpoint.address]))).await;
        let mut client = Raw::to(vip()).await;
        // The first frame rides along with the handshake.
        let (answer, _) = client.say(&format!("{ASK}early")).await.response().await;
        assert_eq!(status(&answer), "101");
        assert!(answer.to_lowercase().contains("upgrade: websocket"), "{answer}");
        let mut echoed = [0; "welcomeearlylate".len()];
        client.say("late").await.0.read_exact(&mut echoed).await.unwrap();
        assert_eq!(&echoed, b"welcomeearlylate");
        let in_flight = |count| {
            stage.until("the tunnel is in flight while it is open", move |served| {
                ensure!((served.connections, served.in_flight) == (count, count), "{served:?}");
                Ok(())
            })
        };
        in_flight(1).await;
        client.0.shutdown().await.unwrap();
        assert_eq!(client.rest().await.unwrap(), "");
        in_flight(0).await;
    });
}

#[test]
fn a_switch_that_nobody_asked_for_is_a_bad_gateway() {
    play("switch", async |stage: &mut Stage| {
        let endpoint = Endpoint::saying(SWITCHED).await;
        stage.serve(&http(backend(&[endpoint.address]))).await;
        let mut client = Raw::to(vip()).await;
        let (answer, _) = client.say("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n").await.response().await;
        assert_eq!(status(&answer), "502");
    });
}
