//! `novaedgectl`: what it prints of an estate, what it says of manifests, and its exit codes.

use crate::cli::{NOW, ill, port, route, well};
use crate::golden::golden;
use k8s_openapi::api::core::v1::Node;
use novaedge::cli::show;
use novaedge::compile::resources::Resources;
use novaedge::compile::status::{EstateStatus, Facts, VipFacts, compute, explain};
use novaedge::controller::admin::{Answers, on_socket};
use novaedge::model::attendance::Attendance;
use novaedge::model::leaving::{Cause, Hold, Leaving};
use novaedge::model::name::Name;
use novaedge::model::snapshot::Snapshot;
use novaedge::model::status::{Explained, NodeStatus, Phase, Reason, Rejected};
use novaedge::model::term::Term;
use novaedge::model::vip::Addresses;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use tokio::sync::watch;

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

/// What a controller knows.
struct Known {
    world: Resources,
    vips: BTreeMap<Name, VipFacts>,
    attendance: BTreeMap<Name, Attendance>,
    rejected: Vec<Rejected>,
}

impl Known {
    /// VIP `web` on n1 and n2, announced by both.
    fn well() -> Self {
        let addresses = ["10.200.0.20", "2001:db8::50"].map(route);
        let nodes = ["n1", "n2"].map(name);
        let web = VipFacts {
            addresses: Some(Addresses::new(addresses).unwrap()),
            mode: "BGP".to_owned(),
            nodes: nodes.clone().into(),
            healthy: nodes.clone().into(),
            min_healthy: 1,
            listeners: true,
            ..VipFacts::default()
        };
        let mut world = Resources::default();
        let vip = json!({
            "apiVersion": "novaedge.io/v1alpha1", "kind": "ProxyVIP", "metadata": {"name": "web"},
            "spec": {"mode": "BGP", "ports": [80, 443]},
        });
        world.vips.insert(name("web"), serde_json::from_value(vip).unwrap());
        Self {
            world,
            vips: BTreeMap::from([(name("web"), web)]),
            attendance: nodes.map(|node| (node.clone(), present(NodeStatus { node, ..well() }))).into(),
            rejected: Vec::new(),
        }
    }

    /// The same with something wrong everywhere: n2 cannot bind a port, n3 is silent, n4 has no agent, n1 may
    /// not leave; another VIP is refused.
    fn ill() -> Self {
        let mut known = Self::well();
        let reason = Reason::PortInUse { port: port(80), holder: Some("sshd (pid 812)".to_owned()) };
        let mut n2 = NodeStatus { node: name("n2"), ..well() };
        n2.routing.announced.clear();
        let vip = n2.vips.get_mut(&name("web")).unwrap();
        (vip.phase, vip.reasons) = (Phase::Preparing, vec![Explained::from(&reason)]);
        known.attendance.insert(name("n2"), present(n2));
        let silent =
            Attendance { alive: false, since: NOW - 5, ..present(NodeStatus { node: name("n3"), ..well() }) };
        known.attendance.insert(name("n3"), silent);
        known.world.nodes.insert(name("n4"), Node::default().into());
        let web = known.vips.get_mut(&name("web")).unwrap();
        web.nodes.extend([name("n3"), name("n4")]);
        web.healthy.remove(&name("n2"));
        web.min_healthy = 2;
        let by = Hold::BelowMinimum { healthy: 0, minimum: 2 };
        web.leaving.insert(name("n1"), Leaving::Held { cause: Cause::Cordon, by });
        let net = known.world.vips[&name("web")].clone();
        known.world.vips.insert(name("net"), net);
        known.rejected = ill().rejected;
        known
    }

    fn status(&self) -> EstateStatus {
        let Self { world, vips, attendance, rejected } = self;
        compute(&Facts {
            world,
            rejections: rejected,
            vips,
            pools: &BTreeMap::new(),
            attendance,
            term: Some(Term { created: 1_790_000_000, transitions: 2 }),
            now: NOW - 60,
            before: None,
        })
    }
}

fn present(status: NodeStatus) -> Attendance {
    Attendance {
        alive: true,
        since: NOW - 11_400,
        taken: Some(4),
        refused: Vec::new(),
        status: Some(Arc::new(status)),
    }
}

#[test]
fn tables_read_as_a_person_found_them_good() {
    for (state, known) in [("well", Known::well()), ("ill", Known::ill())] {
        let status = known.status();
        golden(&format!("ctl/status-{state}.txt"), &show::estate(&status, NOW));
        let web = name("web");
        golden(&format!("ctl/vip-show-{state}.txt"), &show::estate_vip(&web, &status.vips[&web], NOW));
        let explanation = explain(&web, &status, &known.attendance).unwrap();
        golden(&format!("ctl/vip-explain-{state}.txt"), &show::explanation(&explanation));
    }
    let status = Known::ill().status();
    let net = name("net");
    golden("ctl/vip-show-refused.txt", &show::estate_vip(&net, &status.vips[&net], NOW));
    golden("ctl/status-empty.txt", &show::estate(&EstateStatus::default(), NOW));
}

fn ctl(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_novaedgectl")).args(words).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// A controller's socket that answers with what is known, while `asking` runs.
fn with_controller(known: &Known, asking: impl FnOnce(&str)) {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("controller.sock");
    let snapshots = BTreeMap::from([(name("n1"), Arc::new(Snapshot::empty(name("n1"))))]);
    let answers = Answers {
        status: watch::channel(Some(Arc::new(known.status()))).1,
        attendance: watch::channel(Arc::new(known.attendance.clone())).1,
        follows: watch::channel(false).1,
        snapshots: watch::channel(Arc::new(snapshots)).1,
        registry: Arc::default(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let _inside = runtime.enter();
    runtime.spawn(on_socket(&socket, answers).unwrap());
    asking(socket.to_str().unwrap());
}

#[test]
fn exit_codes_tell_whether_all_is_well() {
    let code = |known: &Known, words: &[&str], expected: i32| {
        with_controller(known, |socket| {
            let told = ctl(&[words, &["--admin-socket", socket]].concat());
            let (out, err) = (text(&told.stdout), text(&told.stderr));
            assert_eq!(told.status.code(), Some(expected), "{words:?}: {out}{err}");
            assert!(!out.is_empty() || !err.is_empty(), "{words:?} says something");
        });
    };
    let (well, ill) = (Known::well(), Known::ill());
    for words in [&["status"][..], &["vip", "show", "web"], &["vip", "explain", "web"], &["snapshot", "n1"]] {
        code(&well, words, 0);
    }
    code(&ill, &["status"], 1);
    code(&ill, &["vip", "show", "web"], 1);
    code(&ill, &["vip", "explain", "web"], 0);
    code(&ill, &["vip", "explain", "net"], 1);
    code(&well, &["vip", "show", "none"], 1);
    code(&well, &["vip", "explain", "none"], 1);
    code(&well, &["snapshot", "n9"], 1);
    code(&well, &["vip", "show", "Not A Name"], 2);
    code(&well, &["vip", "paint", "web"], 2);
}

#[test]
fn json_and_yaml_are_the_whole_document() {
    let known = Known::ill();
    with_controller(&known, |socket| {
        let json = ctl(&["status", "-o", "json", "--admin-socket", socket]);
        assert_eq!(serde_json::from_slice::<EstateStatus>(&json.stdout).unwrap(), known.status());
        let yaml = ctl(&["status", "-o", "yaml", "--admin-socket", socket]);
        assert_eq!(serde_saphyr::from_str::<EstateStatus>(text(&yaml.stdout)).unwrap(), known.status());
    });
}

#[test]
fn without_a_controller_there_is_a_sentence_about_the_socket() {
    let told = ctl(&["status", "--admin-socket", "/nowhere/controller.sock"]);
    assert_eq!(told.status.code(), Some(1));
    let error = text(&told.stderr);
    assert!(error.contains("no controller answers on /nowhere/controller.sock"), "{error}");
}

#[test]
fn shells_get_their_completion() {
    for (shell, words) in
        [("bash", "_novaedgectl"), ("zsh", "#compdef novaedgectl"), ("fish", "complete -c novaedgectl")]
    {
        let told = ctl(&["completion", shell]);
        assert!(told.status.success() && text(&told.stdout).contains(words), "{shell}");
    }
}

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests/samples")
}

#[test]
fn samples_are_validated_each_by_itself() {
    let mut seen = 0;
    for entry in samples().read_dir().unwrap() {
        let path = entry.unwrap().path();
        let told = ctl(&["validate", "-o", "json", path.to_str().unwrap()]);
        let found: Vec<Rejected> = serde_json::from_slice(&told.stdout).unwrap();
        // What a later version brings is refused by name, and nothing else is.
        let refused: Vec<&Rejected> = found.iter().filter(|found| !found.notice).collect();
        let known = ["NotSupported", "RefNotFound"];
        assert!(refused.iter().all(|refused| known.contains(&refused.reason.as_str())), "{refused:?}");
        assert_eq!(told.status.code(), Some(i32::from(!refused.is_empty())), "{}", path.display());
        seen += 1;
    }
    assert!(seen >= 9, "the samples are there");
}

#[test]
fn a_good_file_is_all_good() {
    let file = samples().join("10-first-light.yaml");
    let told = ctl(&["validate", file.to_str().unwrap()]);
    assert_eq!((told.status.code(), text(&told.stdout)), (Some(0), "1 file: all good\n"));
}

#[test]
fn a_broken_file_is_told_by_file_and_line() {
    let directory = tempfile::tempdir().unwrap();
    let good = std::fs::read_to_string(samples().join("10-first-light.yaml")).unwrap();
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let vip = |spec: &str| {
        format!("apiVersion: novaedge.io/v1alpha1\nkind: ProxyVIP\nmetadata:\n  name: bad\nspec:\n{spec}")
    };
    let cases = [
        (vip("  mode: BGP\n  adress: 10.0.0.1\n  ports: [80]\n"), 7, "adress"),
        (
            vip("  mode: BGP\n  address: 10.0.0.0/24\n  ports: [80]\n  bgpConfig: {localAS: 64501}\n"),
            7,
            "10.0.0.0/32",
        ),
        (vip("  mode: BGP\n  ports: [80\n"), 7, "unclosed"),
    ];
    for (text_of_file, line, words) in cases {
        let path = file("bad.yaml", &text_of_file);
        let whole = file("good.yaml", &good);
        let told = ctl(&["validate", &path, &whole]);
        let out = text(&told.stdout);
        assert_eq!(told.status.code(), Some(1), "{out}");
        assert!(out.contains(&format!("{path}:{line}:")) && out.contains(words), "line {line}: {out}");
        assert!(!out.contains("good.yaml"), "a good file has no part in it: {out}");
        let directory = ctl(&["validate", directory.path().to_str().unwrap()]);
        assert_eq!(directory.status.code(), Some(1), "the same by the directory's name");
    }
}

#[test]
fn what_is_not_there_is_no_good_manifest() {
    for (words, code) in [(&["validate", "/nowhere.yaml"][..], 1), (&["validate"], 2)] {
        assert_eq!(ctl(words).status.code(), Some(code), "{words:?}");
    }
    let empty = tempfile::tempdir().unwrap();
    let told = ctl(&["validate", empty.path().to_str().unwrap()]);
    assert_eq!(told.status.code(), Some(1));
    assert!(text(&told.stderr).contains("there are no manifests"), "{}", text(&told.stderr));
}
