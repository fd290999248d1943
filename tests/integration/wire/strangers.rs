//! Who is not let in.

use super::content::{bulletin, snapshot, term, vips};
use super::stage::{Agent, Controller, PATIENCE, Pki, fixed};
use novaedge::wire::server::Limits;
use novaedge::wire::server::metrics::Refusal;
use novaedge::wire::tls::{self, Identity, Security};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::watch;

async fn stage(pki: &Pki) -> Controller {
    let orders = bulletin(term(1), &["n1", "n2"].map(|node| snapshot(node, 1, &vips(1, 0))));
    Controller::start(fixed(pki.controller()), orders).await
}

/// Trusts the authority, and has no certificate to show.
fn anonymous(directory: &Path) -> Security {
    let identity = tls::read(directory).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(directory.join(tls::CA)).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut client = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    client.alpn_protocols = vec![b"h2".to_vec()];
    Security::Tls(watch::channel(Arc::new(Identity { client: Arc::new(client), ..identity })).1)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_that_are_not_good_are_refused_and_counted() {
    let (pki, foreign) = (Pki::new(), Pki::new());
    let controller = stage(&pki).await;
    // Trusts the controller, and shows another authority's certificate.
    let stranger = foreign.node("n1");
    std::fs::copy(pki.node("n1").join(tls::CA), stranger.join(tls::CA)).unwrap();
    let strangers = [
        ("another authority's", fixed(stranger), Refusal::Certificate),
        ("an expired one", fixed(pki.expired_node("n1")), Refusal::Certificate),
        ("the controller's own", fixed(pki.controller()), Refusal::Certificate),
        ("none", anonymous(&pki.node("n1")), Refusal::NoCertificate),
        ("another node's", pki.agent("n2"), Refusal::Name),
    ];
    for (what, security, why) in strangers {
        let before = controller.metrics.refused(why);
        let agent = Agent::start(controller.endpoint(), security, "n1");
        controller.refuses(why, before + 1).await;
        assert_eq!(agent.told.borrow().snapshot, None, "{what}");
    }
    let mut good = Agent::start(controller.endpoint(), pki.agent("n1"), "n1");
    good.hears(|told| told.snapshot.is_some()).await;
    assert!(controller.attendance.borrow().keys().all(|node| node.as_str() == "n1"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_controller_of_another_authority_is_not_believed() {
    let (pki, foreign) = (Pki::new(), Pki::new());
    let controller = stage(&foreign).await;
    let agent = Agent::start(controller.endpoint(), pki.agent("n1"), "n1");
    controller.refuses(Refusal::Handshake, 2).await;
    assert_eq!(agent.told.borrow().snapshot, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_files_are_used_and_broken_ones_are_not() {
    let (pki, next) = (Pki::new(), Pki::new());
    let directory = pki.controller();
    let (security, following) = tls::follow(directory.clone(), Duration::from_millis(20)).unwrap();
    let Security::Tls(mut identity) = security.clone() else { unreachable!() };
    let following = tokio::spawn(following);
    let orders = bulletin(term(1), &[snapshot("n1", 1, &vips(1, 0))]);
    let controller = Controller::start(security, orders).await;

    // A certificate without its key: the old pair stays.
    let new = next.controller();
    std::fs::copy(new.join(tls::CERTIFICATE), directory.join(tls::CERTIFICATE)).unwrap();
    let mut before = Agent::start(controller.endpoint(), pki.agent("n1"), "n1");
    before.hears(|told| told.snapshot.is_some()).await;
    assert!(!identity.has_changed().unwrap());
    drop(before);

    std::fs::copy(new.join(tls::KEY), directory.join(tls::KEY)).unwrap();
    std::fs::copy(new.join(tls::CA), directory.join(tls::CA)).unwrap();
    let mut after = Agent::start(controller.endpoint(), next.agent("n1"), "n1");
    after.hears(|told| told.snapshot.is_some()).await;
    let stale = Agent::start(controller.endpoint(), pki.agent("n1"), "n1");
    controller.refuses(Refusal::Handshake, 1).await;
    assert_eq!(stale.told.borrow().snapshot, None);
    assert!(tokio::time::timeout(PATIENCE, identity.changed()).await.is_ok());
    following.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_says_nothing_is_let_go_and_who_has_spoken_may_be_quiet() {
    let pki = Pki::new();
    let limits = Limits { handshake: Duration::from_millis(300), ..Limits::default() };
    for security in [fixed(pki.controller()), Security::Insecure] {
        let orders = bulletin(term(1), &[snapshot("n1", 1, &vips(1, 0))]);
        let agents = if let Security::Tls(_) = security { pki.agent("n1") } else { Security::Insecure };
        let controller = Controller::with_limits(security, orders, limits).await;
        let mut agent = Agent::start(controller.endpoint(), agents, "n1");
        agent.hears(|told| told.snapshot.is_some()).await;
        for round in 1..=3 {
            let _silent = TcpStream::connect(controller.address).await.unwrap();
            controller.refuses(Refusal::TimedOut, round).await;
        }
        assert!(!agent.told.has_changed().unwrap() && agent.told.borrow().connected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plaintext_only_when_both_ask_for_it() {
    let pki = Pki::new();
    let orders = bulletin(term(1), &[snapshot("n1", 1, &vips(1, 0))]);
    let open = Controller::start(Security::Insecure, orders).await;
    let mut agent = Agent::start(open.endpoint(), Security::Insecure, "n1");
    agent.hears(|told| told.snapshot.is_some()).await;
    let closed = stage(&pki).await;
    let agent = Agent::start(closed.endpoint(), Security::Insecure, "n1");
    closed.refuses(Refusal::Handshake, 1).await;
    assert_eq!(agent.told.borrow().snapshot, None);
}
