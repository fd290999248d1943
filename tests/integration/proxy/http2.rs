//! HTTP/2 by prior knowledge, on the port that HTTP/1.1 is served on.

use super::client;
use super::endpoint::Endpoint;
use super::stage::{Stage, backend, http, play, vip};
use bytes::Bytes;
use http::{Request, Version};
use http_body_util::Empty;
use novaedge::model::backend::UpstreamProtocol;
use tokio::process::Command;

#[test]
fn the_same_port_speaks_both_and_so_do_endpoints() {
    play("http2", async |stage: &mut Stage| {
        let endpoint = Endpoint::echo("a").await;
        for (protocol, version) in
            [(UpstreamProtocol::Http1, "HTTP/1.1"), (UpstreamProtocol::H2c, "HTTP/2.0")]
        {
            let mut spoken = backend(&[endpoint.address]);
            spoken.protocol = protocol;
            stage.serve(&http(spoken)).await;
            let mut client = client::http2::<Empty<Bytes>>(vip()).await;
            let request = Request::get("http://www.example.com/x").body(Empty::new()).unwrap();
            let response = client.send_request(request).await.unwrap();
            assert_eq!((response.status().as_u16(), response.version()), (200, Version::HTTP_2));
            let seen = client::text(response).await;
            assert!(seen.lines().next().unwrap().ends_with(version), "{seen}");
        }
    });
}

/// A client of another make, with many streams at once.
#[test]
fn a_foreign_client_gets_all_its_streams() {
    play("h2load", async |stage: &mut Stage| {
        let endpoint = Endpoint::echo("a").await;
        for protocol in [UpstreamProtocol::Http1, UpstreamProtocol::H2c] {
            let mut spoken = backend(&[endpoint.address]);
            spoken.protocol = protocol;
            stage.serve(&http(spoken)).await;
            let output = Command::new("h2load")
                .args(["-n", "2000", "-c", "10", "-m", "20", &format!("http://{}/", vip())])
                .output()
                .await
                .unwrap();
            let said = String::from_utf8(output.stdout).unwrap();
            assert!(said.contains("2000 succeeded, 0 failed, 0 errored"), "{protocol:?}: {said}");
            assert!(said.contains("status codes: 2000 2xx"), "{protocol:?}: {said}");
        }
    });
}

/// RFC 9113 §8.3.1 and §8.2.3, seen by an endpoint of HTTP/1.1.
#[test]
fn what_http2_says_otherwise_is_said_as_http1_says_it() {
    play("translate", async |stage: &mut Stage| {
        let endpoint = Endpoint::echo("a").await;
        stage.serve(&http(backend(&[endpoint.address]))).await;
        let mut client = client::http2::<Empty<Bytes>>(vip()).await;
        let request = Request::get("http://www.example.com:80/x")
            .header("cookie", "a=1")
            .header("cookie", "b=2")
            .header("te", "trailers")
            .body(Empty::new())
            .unwrap();
        let seen = client::text(client.send_request(request).await.unwrap()).await;
        for line in ["host: www.example.com:80", "cookie: a=1; b=2", "te: trailers", "connection: te"] {
            assert!(seen.lines().any(|present| present == line), "{line} is not in\n{seen}");
        }
        let request =
            Request::get("http://a.example/").header("host", "b.example").body(Empty::new()).unwrap();
        assert_eq!(client.send_request(request).await.unwrap().status(), 400);
    });
}
