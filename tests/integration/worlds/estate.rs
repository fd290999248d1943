//! Three nodes with an agent each, in a lab: led by a controller, or each by itself.

use novaedge_lab::builder::Builder;
use novaedge_lab::{FibWatch, Lab, Node, NodeId, Process, Program, eventually, http_get};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{MutexGuard, PoisonError};
use std::time::{Duration, Instant};

const AGENT: &str = env!("CARGO_BIN_EXE_novaedge-agent");
const CONTROLLER: &str = env!("CARGO_BIN_EXE_novaedge-controller");

/// For what should happen within a second or two.
pub const SOON: Duration = Duration::from_secs(15);

pub struct Estate {
    // Dropped in this order: agents before what they run in.
    pub agents: Vec<Process>,
    /// Of a led estate, the first of its controllers.
    pub controller: Option<Process>,
    pub lab: Lab,
    manifests: PathBuf,
    _alone: MutexGuard<'static, ()>,
}

impl Estate {
    /// Three nodes led by a controller; nothing in the directory but the Node objects.
    pub fn up(name: &str) -> Self {
        Self::of(Lab::builder(name))
    }

    pub fn of(builder: Builder) -> Self {
        Self::led_by(builder, &["lead"])
    }

    /// With these controllers on one host, of which the first runs and watches the estate's directory.
    pub fn led_by(builder: Builder, controllers: &[&str]) -> Self {
        let mut estate = Self::without_agents(builder);
        let (controller, agent) = (CONTROLLER.as_ref(), AGENT.as_ref());
        let more = ["--proxy-cores", "1"];
        let led = estate.lab.led(controller, agent, &estate.manifests, controllers, &more);
        let (controller, agents) = led.expect("the controller and the agents start");
        (estate.controller, estate.agents) = (Some(controller), agents);
        estate
    }

    /// Another controller on the same host, with a directory of its own or the estate's.
    pub fn start_controller(&self, name: &str, manifests: &Path) -> Process {
        self.lab.control().controller(name, CONTROLLER.as_ref(), manifests).expect("the controller starts")
    }

    /// Three nodes, each by itself.
    pub fn standalone(name: &str) -> Self {
        Self::with_agents(Lab::builder(name), &[1, 2, 3])
    }

    /// With agents on these nodes only, each by itself.
    pub fn with_agents(builder: Builder, on: &[u8]) -> Self {
        let mut estate = Self::without_agents(builder);
        let alone = |k: &u8| {
            let node = estate.lab.node(*k);
            let program = node.standalone(AGENT.as_ref(), &estate.manifests).args(["--proxy-cores", "1"]);
            node.start_agent(program).expect("the agent starts")
        };
        estate.agents = on.iter().map(alone).collect();
        estate
    }

    pub fn without_agents(builder: Builder) -> Self {
        let alone = crate::WORLD.lock().unwrap_or_else(PoisonError::into_inner);
        let lab = builder.up().expect("the lab comes up");
        let manifests = lab.node(1).dir().with_file_name("manifests");
        std::fs::create_dir_all(&manifests).unwrap();
        let estate = Self { agents: Vec::new(), controller: None, lab, manifests, _alone: alone };
        estate.write("nodes.yaml", &nodes(estate.lab.nodes().len()));
        estate
    }

    /// The directory that everybody watches.
    pub fn manifests(&self) -> &Path {
        &self.manifests
    }

    /// The controller's `GET /status`, as `novaedgectl status -o json` shows it.
    pub fn overview(&self) -> Result<Value, String> {
        let output = self.ctl(&["status", "-o", "json"]);
        let text = String::from_utf8_lossy(&output.stdout);
        serde_json::from_str(&text)
            .map_err(|error| format!("{error}: {text}{}", String::from_utf8_lossy(&output.stderr)))
    }

    /// `novaedgectl WORDS…`, as a person would type it.
    pub fn ctl(&self, words: &[&str]) -> Output {
        self.ctl_of("lead", words)
    }

    fn ctl_of(&self, controller: &str, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_novaedgectl"));
        let socket = self.lab.control().admin_socket(controller);
        command.args(words).arg("--admin-socket").arg(socket).output().expect("the program runs")
    }

    /// The snapshot that a controller has for node `k`, without its generation.
    pub fn said_by(&self, controller: &str, k: u8) -> Result<Value, String> {
        content(&self.ctl_of(controller, &["snapshot", &format!("n{k}"), "-o", "json"]))
    }

    /// The snapshot that the agent of node `k` follows, without its generation.
    pub fn snapshot(&self, k: u8) -> Result<Value, String> {
        content(&self.ask(k, &["snapshot", "-o", "json"]))
    }

    /// A controller's ledger of addresses, as it is on disk.
    pub fn ledger(&self, controller: &str) -> Vec<Value> {
        let path = self.lab.control().dir().join(controller).join("state/ledger.json");
        let Ok(text) = std::fs::read_to_string(path) else { return Vec::new() };
        let ledger: Value = serde_json::from_str(&text).expect("a ledger is whole at any moment");
        ledger["addresses"].as_array().cloned().unwrap_or_default()
    }

    pub fn agent(&self, k: u8) -> &Process {
        &self.agents[usize::from(k) - 1]
    }

    /// Puts a file into the directory that all agents watch, whole or not at all.
    pub fn write(&self, file: &str, text: &str) {
        let staged = self.manifests.with_file_name(format!("{file}.new"));
        std::fs::write(&staged, text).unwrap();
        std::fs::rename(staged, self.manifests.join(file)).unwrap();
    }

    pub fn remove(&self, file: &str) {
        std::fs::remove_file(self.manifests.join(file)).unwrap();
    }

    /// `novaedge-agent WORDS…` on node `k`, as a person would type it.
    pub fn ask(&self, k: u8, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_novaedge-agent"));
        command
            .args(words)
            .arg("--admin-socket")
            .arg(self.lab.node(k).admin_socket())
            .output()
            .expect("the program runs")
    }

    /// The answer to `novaedge-agent status -o json`.
    pub fn status(&self, k: u8) -> Result<Value, String> {
        let output = self.ask(k, &["status", "-o", "json"]);
        let text = String::from_utf8_lossy(&output.stdout);
        serde_json::from_str(&text)
            .map_err(|error| format!("{error}: {text}{}", String::from_utf8_lossy(&output.stderr)))
    }

    /// What `status` says about a VIP on node `k`.
    pub fn vip(&self, k: u8, name: &str) -> Result<Value, String> {
        let vip = self.status(k)?["vips"][name].clone();
        if vip.is_null() { Err(format!("n{k} knows no VIP {name}")) } else { Ok(vip) }
    }

    /// Waits until `status` of node `k` says of the VIP that it is in `phase`, with this reason if one is named.
    pub fn wait_for_phase(&self, k: u8, name: &str, phase: &str, reason: Option<&str>) -> Value {
        let found = eventually(&format!("{name} on n{k} is {phase} {reason:?}"), SOON, || {
            let vip = self.vip(k, name)?;
            let named = |reason: &str| {
                vip["reasons"].as_array().is_some_and(|all| all.iter().any(|r| r["reason"] == reason))
            };
            if vip["phase"] == phase && reason.is_none_or(named) { Ok(vip) } else { Err(vip.to_string()) }
        });
        found.unwrap_or_else(|error| panic!("{error:#}\n{}", self.agent(k).log()))
    }

    /// Waits until the ToR routes `prefix` to exactly these nodes, and returns when it did.
    pub fn wait_for_nodes(&self, watch: &FibWatch, prefix: &str, since: Instant, nodes: &[u8]) -> Instant {
        let expected: BTreeSet<NodeId> = nodes.iter().map(|k| NodeId(*k)).collect();
        let moment = watch.wait_for(prefix, since, SOON, |hops| hops.nodes() == expected);
        moment.unwrap_or_else(|error| panic!("{error:#}\n{}", self.logs()))
    }

    /// UPDATEs that the ToR got from each node, of either family.
    pub fn updates(&self) -> BTreeMap<NodeId, u64> {
        let said = self.lab.tor().ask_json("bgpd", "show bgp neighbors json").unwrap();
        let of = |node: &Node| {
            let stats = &said[node.address4().to_string()]["messageStats"];
            (node.id(), stats["updatesRecv"].as_u64().expect("FRR counts UPDATEs"))
        };
        self.lab.nodes().iter().map(of).collect()
    }

    /// Waits until the sessions have said all that new sessions say, and returns [`Self::updates`].
    pub fn updates_at_rest(&self) -> BTreeMap<NodeId, u64> {
        let mut last = (self.updates(), Instant::now());
        // FRR looks at changed route maps again 5 s after the change (`bgp route-map delay-timer`).
        let rest = Duration::from_secs(6);
        eventually("the sessions are at rest", SOON, || {
            let now = self.updates();
            if now != last.0 {
                last = (now.clone(), Instant::now());
            }
            if last.1.elapsed() > rest { Ok(now) } else { Err("they still speak") }
        })
        .unwrap()
    }

    fn logs(&self) -> String {
        let log = |agent: &Process| -> String {
            let log = agent.log();
            log.lines()
                .rev()
                .take(40)
                .collect::<Vec<_>>()
                .into_iter()
                .rev()
                .map(|line| format!("{line}\n"))
                .collect()
        };
        self.controller.iter().chain(&self.agents).map(log).collect::<Vec<_>>().join("\n---\n")
    }

    /// A GET from the client, and the backend that answered it: `n1/a`.
    pub fn get(&self, to: &str, host: &str, path: &str) -> Result<(u16, Option<String>), String> {
        let to: SocketAddr = to.parse().unwrap();
        let response = http_get(self.lab.client(), to, host, path).map_err(|error| format!("{error:#}"))?;
        Ok((response.status, response.backend()))
    }
}

fn content(output: &Output) -> Result<Value, String> {
    let mut snapshot: Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("{error}: {}", String::from_utf8_lossy(&output.stderr)))?;
    snapshot.as_object_mut().ok_or("a snapshot is an object")?.remove("generation");
    Ok(snapshot)
}

/// A program of the host that greets whoever connects to the port, on whatever address.
pub fn listen_everywhere(node: &Node, port: u16) -> Process {
    let lab = Path::new(env!("CARGO_BIN_EXE_novaedge-agent")).with_file_name("lab");
    let program = Program::new(lab).args(["listen", "--listen"]).arg(format!("[::]:{port}"));
    let listener = node.start("listener", program);
    listener.expect("the listener starts")
}

/// The Node objects, with the label that the contract's examples select by.
pub fn nodes(count: usize) -> String {
    let node = |k| {
        format!(
            "apiVersion: v1\nkind: Node\nmetadata:\n  name: n{k}\n  labels:\n    node-role.kubernetes.io/edge: \"true\"\n---\n"
        )
    };
    (1..=count).map(node).collect()
}

/// One of the contract's examples, as it is.
pub fn example(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests/samples").join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A gateway on port 80 of the VIP, a backend of all nodes' two endpoints, and a route for every host.
/// `more` goes into the backend's spec.
pub fn web(vip: &str, more: &str) -> String {
    let endpoint = |k: u8, port: u16| format!("  - {{address: 10.0.0.{k}, port: {port}, nodeName: n{k}}}\n");
    let endpoints: String = (1..=3).flat_map(|k| [endpoint(k, 8081), endpoint(k, 8082)]).collect();
    format!(
        "apiVersion: novaedge.io/v1alpha1
kind: ProxyGateway
metadata: {{name: web, namespace: default}}
spec:
  vipRef: {vip}
  listeners:
  - {{name: http, port: 80, protocol: HTTP}}
---
apiVersion: novaedge.io/v1alpha1
kind: ProxyBackend
metadata: {{name: web, namespace: default}}
spec:
  endpoints:
{endpoints}  healthCheck: {{interval: 200ms, timeout: 150ms, healthyThreshold: 2, unhealthyThreshold: 2, httpPath: /healthz}}
  {more}
---
apiVersion: novaedge.io/v1alpha1
kind: ProxyRoute
metadata: {{name: web, namespace: default}}
spec:
  rules:
  - matches:
    - path: {{type: PathPrefix, value: /}}
    backendRefs:
    - name: web
"
    )
}

/// A BGP VIP towards the ToR, with BFD at this interval × 3.
pub fn vip(name: &str, addresses: &str, bfd_ms: u32) -> String {
    format!(
        "apiVersion: novaedge.io/v1alpha1
kind: ProxyVIP
metadata: {{name: {name}}}
spec:
  {addresses}
  mode: BGP
  ports: [80]
  drain: {{period: 2s}}
  bgpConfig:
    localAS: 64501
    peers:
    - {{address: 10.0.0.254, as: 64500}}
    communities: [\"64501:100\"]
  bfd: {{enabled: true, detectMultiplier: 3, desiredMinTxInterval: {bfd_ms}ms, requiredMinRxInterval: {bfd_ms}ms}}
"
    )
}
