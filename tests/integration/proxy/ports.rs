//! Ports: ours alone, named when they are not, and healed by themselves.

use super::client::{Raw, status};
use super::endpoint::Endpoint;
use super::stage::{Stage, any_host, backend, http, listen, listener_key, play, rule, vip};
use anyhow::ensure;
use novaedge::model::listener::Serves;
use novaedge::model::observed::ListenerState;
use std::net::TcpListener;

#[test]
fn a_port_in_use_is_named_and_healed_and_holds_nobody_up() {
    play("in-use", async |stage: &mut Stage| {
        let endpoint = Endpoint::echo("a").await;
        let other = TcpListener::bind("0.0.0.0:81").unwrap();
        let mut plan = http(backend(&[endpoint.address]));
        listen(&mut plan, 81, Serves::Http(vec![any_host(vec![rule("/", &[("web", 1)])])]));
        stage.plan(&plan);
        let holder = format!("(pid {})", std::process::id());
        stage
            .until("the holder is named", |served| match served.listeners.get(&listener_key(81)) {
                Some(ListenerState::PortInUse { holder: Some(name) }) if name.ends_with(&holder) => Ok(()),
                state => anyhow::bail!("{state:?}"),
            })
            .await;
        assert_eq!(stage.seen.borrow().listeners[&listener_key(80)], ListenerState::Bound);
        let ask = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";
        assert_eq!(status(&Raw::to(vip()).await.say(ask).await.response().await.0), "200");
        drop(other);
        stage
            .until("it heals", |served| {
                let state = &served.listeners[&listener_key(81)];
                ensure!(*state == ListenerState::Bound, "{state:?}");
                Ok(())
            })
            .await;
    });
}
