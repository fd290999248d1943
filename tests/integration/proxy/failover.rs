//! Endpoints come, go, fail and recover; requests go on being answered.

use super::client::{Raw, raw, status};
use super::endpoint::{Endpoint, full};
use super::load::Load;
use super::stage::{Stage, any_host, backend, http, key, listen, play, rule, vip};
use anyhow::{Result, ensure};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use novaedge::model::backend::{Backend, HealthCheck, LbPolicy, Probe};
use novaedge::model::listener::Serves;
use novaedge::model::observed::{EndpointHealth, Served};
use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;
use tokio::io::AsyncWriteExt;

const ASK: &str = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";

fn checked(endpoints: &[SocketAddr], interval: Duration) -> Backend {
    let status = |code| NonZeroU16::new(code).unwrap();
    let probe = Probe::Http { path: "/healthz".to_owned(), expected: vec![(status(200), status(399))] };
    let check = HealthCheck {
        interval,
        timeout: Duration::from_secs(1),
        healthy_threshold: 2,
        unhealthy_threshold: 3,
        probe,
    };
    Backend { health_check: Some(check), ..backend(endpoints) }
}

fn is(address: SocketAddr, wanted: EndpointHealth) -> impl Fn(&Served) -> Result<()> {
    move |served| {
        let health = served.backends.get(&key("web")).and_then(|web| web.endpoints.get(&address));
        ensure!(health == Some(&wanted), "{health:?}");
        Ok(())
    }
}

#[test]
fn an_endpoint_that_dies_under_load_costs_no_request() {
    for policy in [LbPolicy::RoundRobin, LbPolicy::P2c, LbPolicy::Ewma] {
        play("death", async |stage: &mut Stage| {
            let (a, b, c) = (Endpoint::echo("a").await, Endpoint::echo("b").await, Endpoint::echo("c").await);
            let mut web = backend(&[a.address, b.address, c.address]);
            web.policy = policy;
            stage.serve(&http(web)).await;
            let load = Load::start(vip(), 8);
            load.another(600).await;
            assert_eq!(load.shares().len(), 3, "{policy:?}");
            drop(c);
            load.another(600).await;
            assert_eq!(load.failures().await, Vec::<String>::new(), "{policy:?}");
        });
    }
}

/// Long before the interval's probes would find out.
#[test]
fn a_refused_connection_makes_the_prober_look_at_once() {
    play("suspicion", async |stage: &mut Stage| {
        let (a, b) = (Endpoint::echo("a").await, Endpoint::echo("b").await);
        stage.serve(&http(checked(&[a.address, b.address], Duration::from_secs(3600)))).await;
        stage.until("both are healthy", is(a.address, EndpointHealth::Healthy)).await;
        stage.until("both are healthy", is(b.address, EndpointHealth::Healthy)).await;
        let gone = b.address;
        drop(b);
        let load = Load::start(vip(), 2);
        stage.until("the dead one is found out", is(gone, EndpointHealth::Unhealthy)).await;
        load.shares();
        load.another(100).await;
        assert_eq!(load.shares().keys().collect::<Vec<_>>(), ["a"]);
        assert_eq!(load.failures().await, Vec::<String>::new());
    });
}

#[test]
fn health_follows_the_probes_and_is_remembered() {
    play("health", async |stage: &mut Stage| {
        let well = Arc::new(AtomicBool::new(true));
        let says = Arc::clone(&well);
        let endpoint = Endpoint::http(move |request: Request<Incoming>| {
            let sick = request.uri().path() == "/healthz" && !says.load(Relaxed);
            let mut response = Response::new(full("ok"));
            *response.status_mut() = if sick { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK };
            std::future::ready(response)
        })
        .await;
        let plan = http(checked(&[endpoint.address], Duration::from_millis(20)));
        stage.serve(&plan).await;
        stage.until("it is healthy", is(endpoint.address, EndpointHealth::Healthy)).await;
        let mut client = Raw::to(vip()).await;
        assert_eq!(status(&client.say(ASK).await.response().await.0), "200");

        well.store(false, Relaxed);
        stage.until("it is unhealthy", is(endpoint.address, EndpointHealth::Unhealthy)).await;
        assert_eq!(status(&client.say(ASK).await.response().await.0), "503");

        // It leaves and comes back, with a check that will not ask again soon enough to say otherwise.
        stage.serve(&http(backend(&[]))).await;
        stage
            .until("it is gone", |served| {
                ensure!(served.backends[&key("web")].endpoints.is_empty());
                Ok(())
            })
            .await;
        stage.serve(&http(checked(&[endpoint.address], Duration::from_secs(3600)))).await;
        stage.until("it is still unhealthy", is(endpoint.address, EndpointHealth::Unhealthy)).await;

        well.store(true, Relaxed);
        stage.serve(&plan).await;
        stage.until("it is healthy again", is(endpoint.address, EndpointHealth::Healthy)).await;
        assert_eq!(status(&client.say(ASK).await.response().await.0), "200");
    });
}

/// The endpoint closes its kept connections in the very moment in which we may use them.
#[test]
fn a_kept_connection_that_has_grown_too_old_costs_no_request() {
    play("stale", async |stage: &mut Stage| {
        let endpoint = Endpoint::saying("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
        stage.serve(&http(backend(&[endpoint.address]))).await;
        let mut client = Raw::to(vip()).await;
        for n in 0..200 {
            let (head, _) = client.say(ASK).await.response().await;
            assert_eq!(status(&head), "200", "request {n}");
        }
    });
}

/// What has been sent is not sent again, unless it may be.
#[test]
fn only_repeatable_requests_are_repeated() {
    play("repeat", async |stage: &mut Stage| {
        // Reads the head and hangs up.
        let rude = Endpoint::saying("").await;
        let polite = Endpoint::echo("polite").await;
        stage.serve(&http(backend(&[rude.address, polite.address]))).await;
        let mut statuses = Vec::new();
        // Every core takes its turns by itself, so enough requests in a row meet both.
        for _ in 0..64 {
            let post = "POST / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
            statuses.push(status(&raw(vip(), post).await.unwrap()).to_owned());
        }
        assert!(statuses.iter().any(|status| status == "502"), "{statuses:?}");
        for _ in 0..64 {
            let get = "GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n";
            assert_eq!(status(&raw(vip(), get).await.unwrap()), "200");
        }
    });
}

#[test]
fn backends_share_by_weight() {
    play("weights", async |stage: &mut Stage| {
        let (a, b) = (Endpoint::echo("a").await, Endpoint::echo("b").await);
        let mut plan = http(backend(&[a.address]));
        let split = rule("/", &[("web", 3), ("canary", 1), ("off", 0)]);
        listen(&mut plan, 80, Serves::Http(vec![any_host(vec![split])]));
        plan.serving.backends.insert(key("canary"), backend(&[b.address]).into());
        stage.serve(&plan).await;
        let load = Load::start(vip(), 4);
        load.another(2000).await;
        let shares = load.shares();
        let part = shares["b"] as f64 / (shares["a"] + shares["b"]) as f64;
        assert!((0.18..0.32).contains(&part), "a quarter goes to the canary: {shares:?}");
        assert_eq!(load.failures().await, Vec::<String>::new());
    });
}

/// A reset in the middle of the answer's head is an endpoint that broke off.
#[test]
fn an_endpoint_that_answers_nonsense_is_a_bad_gateway() {
    play("nonsense", async |stage: &mut Stage| {
        let endpoint = Endpoint::raw(async |mut stream| {
            super::endpoint::head(&mut stream).await;
            stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").await.unwrap();
        })
        .await;
        stage.serve(&http(backend(&[endpoint.address]))).await;
        let (head, _) = Raw::to(vip()).await.say(ASK).await.response().await;
        assert_eq!(status(&head), "502");
    });
}
