//! One agent and several controllers.

use super::content::{bulletin, snapshot, term, vips};
use super::stage::{Agent, Controller, PATIENCE, Pki, fixed};
use novaedge::wire::client::obey::{Obeyed, obey};
use std::sync::Arc;
use tokio::sync::watch;
use tokio::time::timeout;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_higher_term_is_obeyed_whoever_comes_and_goes() {
    let pki = Pki::new();
    let (low, high) = (snapshot("n1", 9, &vips(1, 0)), snapshot("n1", 1, &vips(2, 0)));
    let elder = Controller::start(fixed(pki.controller()), bulletin(term(1), [&low])).await;
    let younger = Controller::start(fixed(pki.controller()), bulletin(term(2), [&high])).await;
    let agents = [&elder, &younger].map(|c| Agent::start(c.endpoint(), pki.agent("n1"), "n1"));
    let (obeyed, mut newest) = watch::channel(Obeyed::nothing_yet(None));
    let (_replicas, heard) = watch::channel(agents.iter().map(|agent| agent.told.clone()).collect());
    let obeying = tokio::spawn(obey(heard, obeyed));
    let mut obeys = async |what: &dyn Fn(&Obeyed) -> bool| {
        timeout(PATIENCE, newest.wait_for(what)).await.unwrap().unwrap().clone()
    };
    let first = obeys(&|obeyed| obeyed.term == term(2)).await.snapshot.unwrap();
    assert!(first.same_content(&high));

    // The lower one has another opinion, and then the higher one is gone.
    elder.bulletins.send_replace(bulletin(term(1), &[snapshot("n1", 10, &vips(3, 0))]));
    drop(younger);
    let obeyed = obeys(&|obeyed| !obeyed.is_led).await;
    assert!(obeyed.term == term(2) && Arc::ptr_eq(&obeyed.snapshot.unwrap(), &first));

    // It takes over with equal content: a new term, and nothing to do.
    elder.bulletins.send_replace(bulletin(term(3), &[snapshot("n1", 11, &vips(2, 0))]));
    let obeyed = obeys(&|obeyed| obeyed.term == term(3) && obeyed.is_led).await;
    assert!(Arc::ptr_eq(&obeyed.snapshot.unwrap(), &first));
    obeying.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_newest_stream_of_a_node_has_the_place() {
    let pki = Pki::new();
    let orders = snapshot("n1", 1, &vips(1, 0));
    let mut controller = Controller::start(fixed(pki.controller()), bulletin(term(1), [&orders])).await;
    let mut old = Agent::start(controller.endpoint(), pki.agent("n1"), "n1");
    old.obtains(&orders).await;
    let mut new = Agent::start(controller.endpoint(), pki.agent("n1"), "n1");
    new.obtains(&orders).await;
    old.hears(|told| !told.connected).await;
    controller.attends("n1", |attendance| attendance.alive).await;
}
