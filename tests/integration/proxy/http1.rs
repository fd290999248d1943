//! HTTP/1.1 as RFC 9110 and RFC 9112 want it of an intermediary.

use super::client::{self, Raw, raw, status};
use super::endpoint::Endpoint;
use super::stage::{OTHER, Stage, VIP6, any_host, backend, http, listen, play, rule, vip};
use anyhow::ensure;
use bytes::Bytes;
use http::{Method, Request};
use http_body_util::Empty;
use novaedge::model::listener::Serves;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

const CLOSE: &str = "Host: www.example.com\r\nConnection: close\r\n\r\n";

#[test]
fn both_addresses_of_a_vip_answer_and_no_other_does() {
    play("addresses", async |stage: &mut Stage| {
        let endpoint = Endpoint::echo("a").await;
        stage.serve(&http(backend(&[endpoint.address]))).await;
        for address in [vip(), format!("[{VIP6}]:80").parse().unwrap()] {
            let answer = raw(address, &format!("GET /x?y=1 HTTP/1.1\r\n{CLOSE}")).await.unwrap();
            assert_eq!(status(&answer), "200", "{answer}");
            assert!(answer.contains("GET /x?y=1 HTTP/1.1"), "{answer}");
        }
        let other: SocketAddr = format!("{OTHER}:80").parse().unwrap();
        let refused = raw(other, &format!("GET / HTTP/1.1\r\n{CLOSE}")).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionReset);
    });
}

#[test]
fn a_connection_is_kept_and_requests_may_be_sent_ahead() {
    play("pipelining", async |stage: &mut Stage| {
        let endpoint = Endpoint::echo("a").await;
        stage.serve(&http(backend(&[endpoint.address]))).await;
        let mut client = Raw::to(vip()).await;
        let ahead: String =
            (0..5).map(|n| format!("GET /{n} HTTP/1.1\r\nHost: www.example.com\r\n\r\n")).collect();
        client.say(&ahead).await;
        for n in 0..5 {
            let (head, body) = client.response().await;
            assert_eq!(status(&head), "200");
            assert!(body.starts_with(&format!("GET /{n} ")), "{body}");
        }
        stage
            .until("one connection is open and idle", |served| {
                ensure!((served.connections, served.in_flight) == (1, 0), "{served:?}");
                Ok(())
            })
            .await;
    });
}

/// RFC 9110 §7.6.1 towards the endpoint, and who asked.
#[test]
fn what_was_meant_for_this_hop_is_not_passed_on() {
    play("hop", async |stage: &mut Stage| {
        let endpoint = Endpoint::echo("a").await;
        stage.serve(&http(backend(&[endpoint.address]))).await;
        let request = "GET / HTTP/1.1\r\nHost: www.example.com:8080\r\nConnection: close, x-hop\r\nX-Hop: 1\r\n\
                       Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nUpgrade: h2c\r\n\
                       HTTP2-Settings: AAMAAABk\r\nTE: gzip\r\nX-Forwarded-For: 192.0.2.66\r\n\
                       Forwarded: for=192.0.2.66\r\nX-End: kept\r\n\r\n";
        let answer = raw(vip(), request).await.unwrap();
        let (_, seen) = answer.split_once("\r\n\r\n").unwrap();
        let mut fields: Vec<&str> = seen.lines().skip(1).collect();
        fields.sort_unstable();
        let expected = [
            "body: 0",
            "host: www.example.com:8080",
            "x-end: kept",
            "x-forwarded-for: 10.200.0.20",
            "x-forwarded-host: www.example.com:8080",
            "x-forwarded-proto: http",
        ];
        assert_eq!(fields, expected);
    });
}

#[test]
fn bodyless_answers_leave_the_connection_usable() {
    play("bodyless", async |stage: &mut Stage| {
        let length = Endpoint::saying("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n").await;
        let nothing = Endpoint::saying("HTTP/1.1 204 No Content\r\n\r\n").await;
        let unchanged = Endpoint::saying("HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n").await;
        let mut plan = http(backend(&[length.address]));
        let rules = [("/204", "nothing"), ("/304", "unchanged"), ("/", "web")];
        let rules = rules.map(|(path, name)| rule(path, &[(name, 1)])).to_vec();
        listen(&mut plan, 80, Serves::Http(vec![any_host(rules)]));
        plan.serving.backends.insert(super::stage::key("nothing"), backend(&[nothing.address]).into());
        plan.serving.backends.insert(super::stage::key("unchanged"), backend(&[unchanged.address]).into());
        stage.serve(&plan).await;
        let mut client = client::http1::<Empty<Bytes>>(vip()).await;
        for (method, path, status) in
            [(Method::HEAD, "/", 200), (Method::GET, "/204", 204), (Method::GET, "/304", 304)]
        {
            let request = client::get(path).method(method).body(Empty::new()).unwrap();
            client.ready().await.unwrap();
            let response = client.send_request(request).await.unwrap();
            assert_eq!(response.status().as_u16(), status);
            assert_eq!(client::text(response).await, "", "{path}");
        }
    });
}

/// Each refusal that needs no endpoint, by its status.
#[test]
fn a_refusal_says_which_it_is() {
    play("refusals", async |stage: &mut Stage| {
        let silent = Endpoint::raw(async |stream| {
            std::future::pending::<()>().await;
            drop(stream);
        })
        .await;
        let gone = { Endpoint::echo("gone").await.address };
        let mut plan = http(backend(&[silent.address]));
        let mut slow = rule("/slow", &[("web", 1)]);
        slow.timeout = Some(Duration::from_millis(50));
        let rules = vec![
            slow,
            rule("/missing", &[("nobody", 1)]),
            rule("/weightless", &[("web", 0)]),
            rule("/empty", &[("empty", 1)]),
            rule("/gone", &[("gone", 1)]),
        ];
        listen(&mut plan, 80, Serves::Http(vec![any_host(rules)]));
        plan.serving.backends.insert(super::stage::key("empty"), backend(&[]).into());
        plan.serving.backends.insert(super::stage::key("gone"), backend(&[gone]).into());
        stage.serve(&plan).await;
        for (path, expected) in [
            ("/slow", "504"),
            ("/missing", "500"),
            ("/weightless", "500"),
            ("/empty", "503"),
            ("/gone", "503"),
            ("/elsewhere", "404"),
        ] {
            let answer = raw(vip(), &format!("GET {path} HTTP/1.1\r\n{CLOSE}")).await.unwrap();
            assert_eq!(status(&answer), expected, "{path}: {answer}");
        }
    });
}

/// An endpoint that breaks off, or is reset, in the middle of a body: the client must not take it for whole.
#[test]
fn half_an_answer_does_not_look_whole() {
    play("truncated", async |stage: &mut Stage| {
        let counted = Endpoint::saying("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf").await;
        let chunked =
            Endpoint::saying("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n").await;
        for endpoint in [counted, chunked] {
            stage.serve(&http(backend(&[endpoint.address]))).await;
            let mut client = client::http1::<Empty<Bytes>>(vip()).await;
            let request: Request<Empty<Bytes>> = client::get("/").body(Empty::new()).unwrap();
            let response = client.send_request(request).await.unwrap();
            assert_eq!(response.status(), 200, "the endpoint's own words");
            let whole = http_body_util::BodyExt::collect(response.into_body()).await;
            assert!(whole.is_err());
        }
    });
}

/// To a client of HTTP/1.0 the end of the connection is the end of the body.
#[test]
fn half_an_answer_to_an_old_client_ends_in_a_reset() {
    play("truncated-old", async |stage: &mut Stage| {
        let words = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n";
        let endpoint = Endpoint::saying(words).await;
        stage.serve(&http(backend(&[endpoint.address]))).await;
        let reset = raw(vip(), "GET / HTTP/1.0\r\n\r\n").await.unwrap_err();
        assert_eq!(reset.kind(), ErrorKind::ConnectionReset);
    });
}

#[test]
fn what_was_answered_is_counted() {
    play("metrics", async |stage: &mut Stage| {
        let endpoint = Endpoint::echo("a").await;
        stage.serve(&http(backend(&[endpoint.address]))).await;
        for _ in 0..3 {
            raw(vip(), &format!("GET / HTTP/1.1\r\n{CLOSE}")).await.unwrap();
        }
        raw(vip(), "GET / HTTP/1.1\r\n\r\n").await.unwrap();
        stage
            .until("all connections have ended", |served| {
                ensure!(served.connections == 0, "{served:?}");
                Ok(())
            })
            .await;
        let metrics = stage.metrics();
        for line in [
            "novaedge_proxy_connections_total{listener=\"vip:80\"} 4",
            "novaedge_proxy_requests_total{listener=\"vip:80\",class=\"2xx\"} 3",
            "novaedge_proxy_requests_total{listener=\"vip:80\",class=\"4xx\"} 1",
            "novaedge_proxy_request_duration_seconds_count{listener=\"vip:80\"} 4",
            "novaedge_proxy_in_flight 0",
            "novaedge_proxy_endpoints{backend=\"default/web\",health=\"healthy\"} 1",
        ] {
            assert!(metrics.lines().any(|present| present == line), "{line} is not in\n{metrics}");
        }
    });
}
