//! HTTP/2 by prior knowledge, on the port that HTTP/1.1 is served on.

use super::client;
use super::endpoint::Endpoint;
use super::stage::{Stage, backend, http, play, vip};
use bytes::Bytes;
use http::{Request, Version};
use http_body_util::Empty;
use novaedge::model::backend::UpstreamProtocol;

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
