//! A user's own session: kubectl against a real API server, with three nodes behind it.

use super::cluster::{Cluster, NAMESPACE};
use super::estate::{SOON, vip, web};
use novaedge_lab::{FibWatch, NodeId, eventually};
use std::time::Instant;

const VIP: &str = "10.200.0.65/32";
const POOL: &str = "apiVersion: novaedge.io/v1alpha1\nkind: ProxyIPPool\nmetadata: {name: production-pool}\nspec: {cidrs: [10.200.0.64/28]}\n";

#[test]
fn a_vip_from_kubectl_apply_to_the_router_and_back() {
    let mut cluster = Cluster::up("t-kubectl", &["lead"]);
    let watch = cluster.estate.lab.watch_fib().unwrap();
    let asked = Instant::now();
    cluster.kube.apply(POOL);
    cluster.kube.apply(&vip("web", "poolRef: {name: production-pool}", 300));
    cluster.kube.apply(&web("web", ""));
    let served = cluster.estate.wait_for_nodes(&watch, VIP, asked, &[1, 2, 3]);
    println!("from kubectl apply to the router on three nodes: {:.1?}", served - asked);

    seen(&cluster);
    cordoned(&cluster, &watch);
    silent(&mut cluster, &watch);

    // Gone is gone, and the address comes back to the pool in time.
    let asked = Instant::now();
    cluster.kube.must(&["delete", "proxyvip", "web"]);
    cluster.estate.wait_for_nodes(&watch, VIP, asked, &[]);
    let released = "{.status.released[*].address}";
    cluster.wait_for("proxyippool/production-pool", released, |address| address == "10.200.0.65");
}

/// What the user sees: columns, the pool, conditions and Events.
fn seen(cluster: &Cluster) {
    cluster.wait_for("proxyvip/web", "{.status.healthy}", |healthy| healthy == "3/3");
    cluster
        .wait_for("proxyvip/web", "{.status.conditions[?(@.type=='Ready')].status}", |ready| ready == "True");
    cluster.wait_for("proxyvip/web", "{.status.bfdSessionState}", |state| state == "Up");
    let table = cluster.kube.must(&["get", "proxyvip"]);
    println!("{table}");
    let row = table.lines().nth(1).unwrap();
    for column in ["web", "10.200.0.65", "BGP", "n1", "3/3", "Up", "True"] {
        assert!(row.contains(column), "{column}: {table}");
    }
    let pools = cluster.kube.must(&["get", "proxyippool"]);
    assert!(
        pools.lines().nth(1).unwrap().split_whitespace().eq(["production-pool", "14", "1", "13", "true"]
            .into_iter()
            .chain(pools.lines().nth(1).unwrap().split_whitespace().skip(5))),
        "{pools}"
    );
    let allocations = cluster.field("proxyippool/production-pool", "{.status.allocations}");
    assert!(
        allocations.contains("10.200.0.65") && allocations.contains("\"vipRef\":\"web\""),
        "{allocations}"
    );
    let described = eventually("the transitions are told as Events", SOON, || {
        let described = cluster.kube.must(&["describe", "proxyvip", "web"]);
        if described.contains("Announced") && described.contains("novaedge-controller") {
            Ok(described)
        } else {
            Err(described)
        }
    })
    .unwrap();
    println!("{described}");
}

/// Cordon and uncordon, under load.
fn cordoned(cluster: &Cluster, watch: &FibWatch) {
    let load = cluster.estate.lab.probe("10.200.0.65:80".parse().unwrap()).rate(2000).start().unwrap();
    load.wait_for(500, SOON).unwrap();
    let asked = Instant::now();
    cluster.kube.must(&["cordon", "n2"]);
    let left = cluster.estate.wait_for_nodes(watch, VIP, asked, &[1, 3]) - asked;
    cluster.wait_for("proxyvip/web", "{.status.nodes[?(@.name=='n2')].state}", |state| state == "Withdrawn");
    let report = load.stop().unwrap();
    println!("kubectl cordon: out of the router's set after {left:.1?}; {report}");
    assert!(report.sent() >= 2000, "{report}");
    assert!(report.failures_of(NodeId(2)).is_empty(), "{report}");
    let asked = Instant::now();
    cluster.kube.must(&["uncordon", "n2"]);
    cluster.estate.wait_for_nodes(watch, VIP, asked, &[1, 2, 3]);
}

/// A node whose kubelet is dead, while its agent serves: a wish to leave, by the real node-lifecycle controller.
fn silent(cluster: &mut Cluster, watch: &FibWatch) {
    let asked = Instant::now();
    cluster.nodes[2].fall_silent();
    let left = cluster.estate.wait_for_nodes(watch, VIP, asked, &[1, 2]) - asked;
    println!("a silent kubelet: NotReady and out of the router's set after {left:.1?}");
}

#[test]
fn only_an_agents_own_token_is_let_in() {
    let cluster = Cluster::up("t-tokens", &["lead"]);
    let kube = &cluster.kube;
    let refused = || {
        let said = cluster
            .estate
            .lab
            .control()
            .netns()
            .exec("curl", &["-s", &format!("http://127.0.0.1:{}/metrics", metrics("lead"))]);
        let text = said.unwrap_or_default();
        let line =
            text.lines().find(|line| line.starts_with("novaedge_wire_refused_total{reason=\"token\"}"));
        line.and_then(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).unwrap_or(0)
    };
    kube.must(&["create", "serviceaccount", "shop", "-n", NAMESPACE]);
    let audience = "--audience=novaedge-controller";
    let strangers = [
        ("made for no pod", kube.token(NAMESPACE, "novaedge-agent", &[audience])),
        ("for another audience", kube.token(NAMESPACE, "novaedge-agent", &[])),
        ("another workload's", kube.token(NAMESPACE, "shop", &[audience])),
        ("no token at all", "eyJhbGciOiJub25lIn0.e30.".to_owned()),
    ];
    let node = cluster.estate.lab.node(1);
    let agent = cluster.estate.agent(1);
    agent.term();
    agent.wait(SOON).unwrap();
    for (what, token) in strangers {
        std::fs::write(node.dir().join("token"), token).unwrap();
        let before = refused();
        agent.restart().unwrap();
        eventually(&format!("the token {what} is refused"), SOON, || {
            if refused() > before { Ok(()) } else { Err("not yet") }
        })
        .unwrap_or_else(|error| panic!("{error:#}\n{}", agent.log()));
        agent.kill9();
    }
    // Another node's token is that node's, whatever the agent says.
    std::fs::write(
        node.dir().join("token"),
        std::fs::read(cluster.estate.lab.node(2).dir().join("token")).unwrap(),
    )
    .unwrap();
    agent.restart().unwrap();
    eventually("the name is refused", SOON, || {
        if agent.log().contains("is node n2's") { Ok(()) } else { Err(agent.log()) }
    })
    .unwrap();
    // The right one, in the same file, without a restart.
    std::fs::write(node.dir().join("token"), super::cluster::pod_token(kube, "n1")).unwrap();
    eventually("the agent is led", SOON, || {
        let status = cluster.estate.status(1)?;
        if status["term"].is_object() { Ok(()) } else { Err(status["term"].to_string()) }
    })
    .unwrap();
}

fn metrics(controller: &str) -> u16 {
    8400 + u16::from(controller.as_bytes()[0])
}
