//! Lines that go dead, controllers that go away.

use super::content::{bulletin, snapshot, status, term, vips};
use super::line::Line;
use super::stage::{Agent, Controller, Pki, endpoint, fixed};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_line_is_noticed_within_a_second_on_both_sides() {
    let pki = Pki::new();
    let orders = snapshot("n1", 1, &vips(1, 0));
    let mut controller = Controller::start(fixed(pki.controller()), bulletin(term(1), [&orders])).await;
    let line = Line::to(controller.address).await;
    let mut agent = Agent::start(endpoint(line.address), pki.agent("n1"), "n1");
    agent.reports.send_replace(Some(status("n1", 1)));
    agent.obtains(&orders).await;
    controller.attends("n1", |attendance| attendance.alive && attendance.status.is_some()).await;
    line.goes_dead();
    let since = Instant::now();
    let agents = async {
        agent.hears(|told| !told.connected).await;
        since.elapsed()
    };
    let controllers = async {
        controller.attends("n1", |attendance| !attendance.alive).await;
        since.elapsed()
    };
    let (agents, controllers) = tokio::join!(agents, controllers);
    eprintln!("noticed by the agent after {agents:?}, by the controller after {controllers:?}");
    assert!(agents.max(controllers) < Duration::from_secs(1), "{agents:?} {controllers:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_keeps_its_orders_while_nobody_is_there() {
    let pki = Pki::new();
    let orders = snapshot("n1", 1, &vips(1, 0));
    let controller = Controller::start(fixed(pki.controller()), bulletin(term(1), [&orders])).await;
    let mut agent = Agent::start(controller.endpoint(), pki.agent("n1"), "n1");
    agent.obtains(&orders).await;
    drop(controller);
    let told = agent.hears(|told| !told.connected).await;
    assert_eq!(told.term, term(1));
    assert_eq!(*told.snapshot.unwrap(), *orders);
}
