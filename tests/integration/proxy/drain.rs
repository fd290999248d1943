//! Ending without breaking: lame ducks, listeners that go, plans that change.

use super::client::{self, Raw, status};
use super::endpoint::Endpoint;
use super::load::Load;
use super::stage::{SOON, Stage, VIP, VIP6, any_host, backend, http, key, listen, play, rule, vip};
use anyhow::ensure;
use bytes::Bytes;
use http::Request;
use http_body_util::Empty;
use novaedge::model::listener::Serves;
use novaedge::model::observed::Served;
use novaedge::plan::ProxyPlan;
use novaedge_lab::eventually_async;
use std::io::ErrorKind;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::sync::Notify;

const ASK: &str = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";

fn lame(plan: &ProxyPlan) -> ProxyPlan {
    let addresses = plan.serving.listeners.values().flat_map(|listener| &listener.addresses);
    ProxyPlan { lame_ducks: addresses.copied().collect(), ..plan.clone() }
}

#[test]
fn a_lame_duck_lets_every_client_go_and_loses_no_request() {
    play("lame-duck", async |stage: &mut Stage| {
        let endpoint = Endpoint::echo("a").await;
        let plan = http(backend(&[endpoint.address]));
        stage.serve(&plan).await;
        let load = Load::start(vip(), 16);
        let mut idle = Raw::to(vip()).await;
        idle.say(ASK).await.response().await;
        let mut silent = Raw::to(vip()).await;
        load.another(500).await;
        stage.plan(&lame(&plan));
        eventually_async("answers ask for the end", SOON, async || {
            let (head, _) = Raw::to(vip()).await.say(ASK).await.response().await;
            ensure!(head.contains("connection: close"), "{head}");
            Ok(())
        })
        .await
        .unwrap();
        load.another(500).await;
        assert_eq!(load.failures().await, Vec::<String>::new());
        // Those that do not ask anything are let go of, politely.
        assert_eq!(idle.rest().await.unwrap(), "");
        assert_eq!(silent.rest().await.unwrap(), "");
        drop((idle, silent));
        stage
            .until("everybody has gone", |served| {
                ensure!(served.connections == 0, "{served:?}");
                Ok(())
            })
            .await;
    });
}

/// One address of a listener may leave while the other stays.
#[test]
fn a_lame_duck_is_an_address_and_so_is_its_traffic() {
    play("lame-address", async |stage: &mut Stage| {
        let endpoint = Endpoint::echo("a").await;
        let plan = http(backend(&[endpoint.address]));
        stage.serve(&plan).await;
        let other = std::net::SocketAddr::new(VIP6.parse().unwrap(), 80);
        let (mut leaves, mut stays) = (Raw::to(vip()).await, Raw::to(other).await);
        leaves.say(ASK).await.response().await;
        stays.say(ASK).await.response().await;
        let open = |served: &Served, at: std::net::SocketAddr| {
            served.traffic.get(&at.ip()).map_or((0, 0), |now| (now.connections, now.in_flight))
        };
        stage
            .until("each address has its connection", |served| {
                ensure!((open(served, vip()), open(served, other)) == ((1, 0), (1, 0)), "{served:?}");
                Ok(())
            })
            .await;
        stage.plan(&ProxyPlan { lame_ducks: [vip().ip()].into(), ..plan.clone() });
        assert_eq!(leaves.rest().await.unwrap(), "", "it is let go of");
        let (head, _) = stays.say(ASK).await.response().await;
        assert!(status(&head) == "200" && !head.contains("connection: close"), "{head}");
        drop(leaves);
        stage
            .until("the other one alone is open", |served| {
                ensure!((open(served, vip()), open(served, other)) == ((0, 0), (1, 0)), "{served:?}");
                Ok(())
            })
            .await;
    });
}

/// What is in flight is answered, and the connection says goodbye by GOAWAY.
#[test]
fn http2_is_asked_to_go_away_and_finishes() {
    play("goaway", async |stage: &mut Stage| {
        let go = Arc::new(Notify::new());
        let wait = Arc::clone(&go);
        let endpoint = Endpoint::http(move |_| {
            let wait = Arc::clone(&wait);
            async move {
                wait.notified().await;
                http::Response::new(super::endpoint::full("patience"))
            }
        })
        .await;
        let plan = http(backend(&[endpoint.address]));
        stage.serve(&plan).await;
        let mut client = client::http2::<Empty<Bytes>>(vip()).await;
        let request = Request::get("http://a.example/").body(Empty::new()).unwrap();
        let response = tokio::spawn(client.send_request(request));
        stage
            .until("the request is in flight", |served| {
                ensure!(served.in_flight == 1, "{served:?}");
                Ok(())
            })
            .await;
        stage.plan(&lame(&plan));
        let asked_to_go = async || match client.is_closed() {
            true => Ok(()),
            false => Err("no GOAWAY yet"),
        };
        go.notify_one();
        let response = response.await.unwrap().unwrap();
        assert_eq!(client::text(response).await, "patience");
        eventually_async("the connection ends", SOON, asked_to_go).await.unwrap();
    });
}

#[test]
fn a_listener_that_goes_finishes_what_it_has() {
    play("unlisten", async |stage: &mut Stage| {
        let endpoint = Endpoint::echo("a").await;
        let plan = http(backend(&[endpoint.address]));
        stage.serve(&plan).await;
        let mut kept = Raw::to(vip()).await;
        kept.say(ASK).await.response().await;
        stage.serve(&ProxyPlan::default()).await;
        let refused = TcpStream::connect(vip()).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        let (head, _) = kept.say(ASK).await.response().await;
        assert_eq!(status(&head), "200");
        assert!(head.contains("connection: close"), "{head}");
        assert_eq!(kept.rest().await.unwrap(), "");
    });
}

/// The next request on the same connection meets the new plan.
#[test]
fn a_change_meets_the_next_request_and_breaks_no_connection() {
    play("change", async |stage: &mut Stage| {
        let (a, b) = (Endpoint::echo("a").await, Endpoint::echo("b").await);
        let plan = http(backend(&[a.address]));
        stage.serve(&plan).await;
        let load = Load::start(vip(), 4);
        let mut client = Raw::to(vip()).await;
        assert!(client.say(ASK).await.response().await.0.contains("x-endpoint: a"));
        for round in 0..40 {
            let mut other = http(backend(&[[a.address, b.address][round % 2]]));
            // A listener more or less beside it.
            if round % 4 < 2 {
                let hosts = vec![any_host(vec![rule("/", &[("web", 1)])])];
                listen(&mut other, 81, Serves::Http(hosts));
            }
            stage.serve(&other).await;
            load.another(20).await;
        }
        let mut last = http(backend(&[b.address]));
        last.serving.backends.insert(key("unused"), backend(&[a.address]).into());
        stage.serve(&last).await;
        stage
            .until("the new backend is reported", |served| {
                ensure!(served.backends.len() == 2);
                Ok(())
            })
            .await;
        assert!(client.say(ASK).await.response().await.0.contains("x-endpoint: b"));
        assert_eq!(load.failures().await, Vec::<String>::new());
        let port: std::net::SocketAddr = format!("{VIP}:81").parse().unwrap();
        assert_eq!(TcpStream::connect(port).await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
    });
}
