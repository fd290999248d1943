//! Three nodes in a lab, joined to a real Kubernetes control plane on the controllers' host.

use super::estate::{Estate, SOON};
use novaedge_lab::kube::{ControlPlane, HeldNode};
use novaedge_lab::{Lab, Process, eventually};
use serde_json::Value;
use std::path::{Path, PathBuf};

const AGENT: &str = env!("CARGO_BIN_EXE_novaedge-agent");
const CONTROLLER: &str = env!("CARGO_BIN_EXE_novaedge-controller");

pub const NAMESPACE: &str = "novaedge-system";

pub struct Cluster {
    pub controllers: Vec<Process>,
    /// With agents on all nodes.
    pub estate: Estate,
    pub nodes: Vec<HeldNode>,
    // Its namespace is the estate's, which outlives the processes in it only until the estate is dropped.
    pub kube: ControlPlane,
}

/// A directory of the project's manifests.
pub fn manifests(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests").join(folder)
}

/// CRDs, namespace and rights, as an operator installs them.
pub fn install(kube: &ControlPlane) {
    kube.install_crds(&manifests("crds"));
    for file in ["namespace.yaml", "rbac.yaml"] {
        kube.must(&["apply", "-f", manifests("base").join(file).to_str().unwrap()]);
    }
}

impl Cluster {
    /// With controllers of these names on one host, all running, under the rights of the shipped manifests.
    pub fn up(name: &str, controllers: &[&str]) -> Self {
        let mut estate = Estate::without_agents(Lab::builder(name));
        let control = estate.lab.control();
        let kube = ControlPlane::start_in(
            control.netns(),
            novaedge_lab::topology::CONTROL4,
            &control.dir().join("kube"),
        );
        let kube = kube.unwrap_or_else(|error| panic!("{error:#}"));
        install(&kube);
        let nodes = estate.lab.nodes().iter().map(|node| kube.node(&node.name(), node.address4())).collect();
        let kubeconfig = kube.kubeconfig_of(NAMESPACE, "novaedge-controller");
        let start = |name: &&str| control.cluster_controller(name, CONTROLLER.as_ref(), &kubeconfig);
        let running =
            controllers.iter().map(start).collect::<Result<Vec<_>, _>>().expect("the controllers start");
        let ca = authority(&kube, &control.dir().join("ca.crt"));
        let at: Vec<String> = controllers.iter().map(|name| control.endpoint(name)).collect();
        let mut agents = Vec::new();
        for node in estate.lab.nodes() {
            let token = node.dir().join("token");
            std::fs::write(&token, pod_token(&kube, &node.name())).unwrap();
            let program = node.in_cluster(AGENT.as_ref(), &at, &token, &ca).args(["--proxy-cores", "1"]);
            agents.push(node.start_agent(program).expect("the agent starts"));
        }
        estate.agents = agents;
        Self { controllers: running, estate, nodes, kube }
    }

    /// An object's field by JSONPath, as kubectl prints it.
    pub fn field(&self, object: &str, path: &str) -> String {
        self.kube.must(&["get", object, "-o", &format!("jsonpath={path}")])
    }

    /// Waits until the object's field is as expected, and returns it.
    pub fn wait_for(&self, object: &str, path: &str, is: impl Fn(&str) -> bool) -> String {
        let found = eventually(&format!("{path} of {object}"), SOON, || {
            let field = self.field(object, path);
            if is(&field) { Ok(field) } else { Err(field) }
        });
        found.unwrap_or_else(|error| panic!("{error:#}\n{}", self.logs()))
    }

    /// The name of the controller that holds the Lease.
    pub fn leader(&self) -> Option<String> {
        let said = self
            .kube
            .kubectl(&["get", "lease", "novaedge-controller", "-n", NAMESPACE, "-o", "json"])
            .ok()?;
        let lease: Value = serde_json::from_str(&said.stdout).ok()?;
        let holder = lease["spec"]["holderIdentity"].as_str()?;
        Some(holder.split_once('_')?.0.to_owned())
    }

    pub fn logs(&self) -> String {
        let all = self.controllers.iter().chain(&self.estate.agents);
        let tail = |process: &Process| {
            let log = process.log();
            let lines: Vec<&str> = log.lines().collect();
            lines[lines.len().saturating_sub(30)..].join("\n")
        };
        all.map(tail).collect::<Vec<_>>().join("\n---\n")
    }
}

/// What the controllers have made, as a pod would have it mounted.
pub fn authority(kube: &ControlPlane, file: &Path) -> PathBuf {
    let words = ["get", "configmap", "novaedge-ca", "-n", NAMESPACE, "-o", r"jsonpath={.data.ca\.crt}"];
    let text = eventually("the controllers' authority", SOON, || {
        let said = kube.kubectl(&words).map_err(|error| error.to_string())?;
        if said.stdout.contains("BEGIN CERTIFICATE") { Ok(said.stdout) } else { Err(said.stderr) }
    });
    std::fs::write(file, text.unwrap()).unwrap();
    file.to_owned()
}

/// The token of an agent's pod on that node, as the kubelet would project it.
pub fn pod_token(kube: &ControlPlane, node: &str) -> String {
    let pod = format!("agent-{node}");
    kube.apply(&format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {pod}, namespace: {NAMESPACE}}}\nspec:\n  nodeName: {node}\n  \
         serviceAccountName: novaedge-agent\n  tolerations: [{{operator: Exists}}]\n  containers: [{{name: agent, image: none}}]\n"
    ));
    let bound = ["--audience=novaedge-controller", "--bound-object-kind=Pod", "--bound-object-name", &pod];
    kube.token(NAMESPACE, "novaedge-agent", &bound)
}
