//! What arrives at an agent, and what comes back.

use super::content::{bulletin, name, snapshot, status, term, vips};
use super::stage::{Agent, Controller, Pki, fixed};
use novaedge::model::leaving::{Cause, Leaving};
use novaedge::model::snapshot::Snapshot;
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_gets_its_own_orders_and_nothing_else() {
    let pki = Pki::new();
    let first = [snapshot("n1", 1, &vips(3, 0)), snapshot("n2", 1, &vips(5, 0))];
    let mut controller = Controller::start(fixed(pki.controller()), bulletin(term(1), &first)).await;
    let mut agents = ["n1", "n2"].map(|node| Agent::start(controller.endpoint(), pki.agent(node), node));
    for (agent, snapshot) in agents.iter_mut().zip(&first) {
        let told = agent.obtains(snapshot).await;
        assert_eq!((told.term, told.generation), (term(1), 1));
        assert_eq!(*told.snapshot.unwrap(), **snapshot);
    }
    let granted = Leaving::Granted { cause: Cause::Cordon };
    let mut second = Snapshot { generation: 2, ..(*first[0]).clone() };
    second.leaving.insert(name("vip-1"), granted);
    controller.bulletins.send_replace(bulletin(term(1), &[Arc::new(second.clone()), Arc::clone(&first[1])]));
    agents[0].obtains(&second).await;
    controller.attends("n1", |attendance| attendance.taken == Some(2)).await;
    assert!(!agents[1].told.has_changed().unwrap(), "nothing is new for n2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reports_arrive_and_outlive_the_stream() {
    let pki = Pki::new();
    let orders = bulletin(term(1), &[snapshot("n1", 1, &vips(1, 0))]);
    let mut controller = Controller::start(fixed(pki.controller()), orders).await;
    let agent = Agent::start(controller.endpoint(), pki.agent("n1"), "n1");
    for started in 1..20 {
        agent.reports.send_replace(Some(status("n1", started)));
        let attendance =
            controller.attends("n1", |a| a.status.as_ref().is_some_and(|s| s.started == started)).await;
        assert!(attendance.alive);
    }
    drop(agent);
    let attendance = controller.attends("n1", |attendance| !attendance.alive).await;
    assert_eq!(attendance.status.unwrap().started, 19);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_agent_has_is_not_sent_again() {
    let pki = Pki::new();
    let orders = snapshot("n1", 1, &vips(2000, 0));
    let mut controller = Controller::start(fixed(pki.controller()), bulletin(term(1), [&orders])).await;
    let last_good = Arc::new(Snapshot { generation: 77, ..(*orders).clone() });
    let endpoint = controller.endpoint();
    let mut agent = Agent::with_last_good(endpoint, pki.agent("n1"), "n1", Some(Arc::clone(&last_good)));
    let told = agent.obtains(&orders).await;
    assert!(Arc::ptr_eq(&told.snapshot.unwrap(), &last_good), "equal content is the same snapshot");
    controller.attends("n1", |attendance| attendance.taken == Some(1)).await;
    let sent = controller.metrics.sent_bytes.get();
    assert!(sent < 200, "{sent} bytes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_lead_says_so_and_the_orders_stay() {
    let pki = Pki::new();
    let orders = snapshot("n1", 1, &vips(3, 0));
    let controller = Controller::start(fixed(pki.controller()), bulletin(term(1), [&orders])).await;
    let mut agent = Agent::start(controller.endpoint(), pki.agent("n1"), "n1");
    let first = agent.obtains(&orders).await.snapshot.unwrap();
    controller.bulletins.send_replace(bulletin(None, [&orders]));
    let told = agent.hears(|told| told.term.is_none()).await;
    assert!(told.connected && Arc::ptr_eq(&told.snapshot.unwrap(), &first));
    controller.bulletins.send_replace(bulletin(term(3), &[orders]));
    let told = agent.hears(|told| told.term == term(3)).await;
    assert!(Arc::ptr_eq(&told.snapshot.unwrap(), &first));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_many_messages_arrives_whole() {
    let pki = Pki::new();
    let orders = snapshot("n1", 1, &vips(20_000, 0));
    let controller = Controller::start(fixed(pki.controller()), bulletin(term(1), [&orders])).await;
    let mut agent = Agent::start(controller.endpoint(), pki.agent("n1"), "n1");
    agent.obtains(&orders).await;
    let sent = controller.metrics.sent_bytes.get();
    assert!(sent > 4 << 20, "{sent} bytes: longer than a message may be");
}
