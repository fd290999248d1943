//! A real Kubernetes control plane: etcd, kube-apiserver and kube-controller-manager in a namespace, and kubectl as
//! the test's hand.
//!
//! All of it is one program, `target/tools/kubelab`, which the project's set-up builds from upstream's own modules
//! (`kubelab/` beside this crate). Nodes are objects until a test says otherwise: [`ControlPlane::node`] makes one
//! and keeps it Ready; one that falls silent becomes NotReady by the real node-lifecycle controller.

mod node;
mod pki;

pub use node::HeldNode;

use crate::{Netns, OwnedNetns, Process, Program, eventually};
use anyhow::{Context, Result, ensure};
use pki::Pki;
use std::io::Write;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

/// Where the API server listens.
pub const PORT: u16 = 6443;

/// For a control plane on a busy machine.
const READY: Duration = Duration::from_secs(60);

const SERVICES: &str = "10.96.0.0/16";

/// The program that is all of Kubernetes here.
pub fn kubelab() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../target/tools/kubelab")
}

/// What a kubectl said.
#[derive(Debug, Clone)]
pub struct Said {
    pub success: bool,
    pub stdout: String,
    pub stderr: String,
}

/// A running control plane. Dropping it ends it.
#[derive(Debug)]
pub struct ControlPlane {
    /// `None` while it starts.
    controllers: Option<Process>,
    api: Process,
    _etcd: Process,
    netns: Netns,
    address: Ipv4Addr,
    dir: PathBuf,
    // Of one that is alone: dropped last.
    _own: Option<(OwnedNetns, Scratch)>,
}

#[derive(Debug)]
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // After a panic the logs stay.
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

impl ControlPlane {
    /// One by itself, in a namespace of that name, on its loopback.
    ///
    /// # Errors
    /// kubelab is missing (`make setup` builds it), or does not become ready.
    pub fn alone(name: &str) -> Result<Self> {
        let netns = Netns::create(name)?;
        let dir = std::env::temp_dir().join(name);
        let _ = std::fs::remove_dir_all(&dir);
        let mut plane = Self::start_in(&netns, Ipv4Addr::LOCALHOST, &dir)?;
        plane._own = Some((netns, Scratch(dir)));
        Ok(plane)
    }

    /// In a namespace that has the address; state and logs go into `dir`.
    ///
    /// # Errors
    /// As [`Self::alone`].
    pub fn start_in(netns: &Netns, address: Ipv4Addr, dir: &Path) -> Result<Self> {
        ensure!(kubelab().is_file(), "target/tools/kubelab is missing: run `make setup`");
        std::fs::create_dir_all(dir)?;
        let pki = Pki::write(&dir.join("pki"), &format!("https://{address}:{PORT}"), address)?;
        let start =
            |name: &str, program: Program| Process::start(netns, program, &dir.join(format!("{name}.log")));
        let etcd = Program::new(kubelab())
            .arg("etcd")
            .arg(dir.join("etcd"))
            .args(["http://127.0.0.1:2379", "http://127.0.0.1:2380"]);
        let etcd = start("etcd", etcd)?;
        let api = start("apiserver", api_server(&pki, address))?;
        let mut plane = Self {
            controllers: None,
            api,
            _etcd: etcd,
            netns: netns.clone(),
            address,
            dir: dir.to_owned(),
            _own: None,
        };
        plane.wait()?;
        // They give up when they have no rights yet, and those are made when the server starts.
        plane.controllers = Some(start("controllers", controller_manager(&pki))?);
        Ok(plane)
    }

    /// Returns when the API server is ready.
    ///
    /// # Errors
    /// It is not in time; with what it logged last.
    pub fn wait(&self) -> Result<()> {
        eventually("the API server is ready", READY, || {
            let said = self.kubectl(&["get", "--raw", "/readyz"]).map_err(|error| error.to_string())?;
            if said.success { Ok(()) } else { Err(format!("{} {}", said.stderr, tail(&self.api.log()))) }
        })
    }

    pub fn url(&self) -> String {
        format!("https://{}:{PORT}", self.address)
    }

    pub fn netns(&self) -> &Netns {
        &self.netns
    }

    /// The API server, to be killed, stopped or restarted.
    pub fn api(&self) -> &Process {
        &self.api
    }

    pub fn admin_kubeconfig(&self) -> PathBuf {
        self.dir.join("pki/admin.kubeconfig")
    }

    /// `kubectl WORDS…`, as an administrator.
    ///
    /// # Errors
    /// It cannot be run at all.
    pub fn kubectl(&self, words: &[&str]) -> Result<Said> {
        self.kubectl_with(words, "")
    }

    fn kubectl_with(&self, words: &[&str], input: &str) -> Result<Said> {
        kubectl(&self.netns, &self.admin_kubeconfig(), words, input)
    }

    /// What it printed.
    ///
    /// # Panics
    /// It failed.
    pub fn must(&self, words: &[&str]) -> String {
        let said = self.kubectl(words).expect("kubectl runs");
        assert!(said.success, "kubectl {}: {}", words.join(" "), said.stderr);
        said.stdout
    }

    /// `kubectl apply` of this text.
    ///
    /// # Panics
    /// It is refused.
    pub fn apply(&self, yaml: &str) {
        let said = self.kubectl_with(&["apply", "-f", "-"], yaml).expect("kubectl runs");
        assert!(said.success, "kubectl apply: {}\n{yaml}", said.stderr);
    }

    /// Installs the CRDs in `directory`, and returns when they can be used.
    ///
    /// # Panics
    /// The server refuses one.
    pub fn install_crds(&self, directory: &Path) {
        self.must(&["apply", "-f", directory.to_str().expect("a path of ours")]);
        self.must(&["wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"]);
    }

    /// A token of a service account; `more` as for `kubectl create token`.
    ///
    /// # Panics
    /// The server gives none.
    pub fn token(&self, namespace: &str, account: &str, more: &[&str]) -> String {
        let words = [&["create", "token", account, "-n", namespace], more].concat();
        self.must(&words).trim().to_owned()
    }

    /// A kubeconfig with which a program is that service account.
    ///
    /// # Panics
    /// The server gives no token.
    pub fn kubeconfig_of(&self, namespace: &str, account: &str) -> PathBuf {
        let token = self.token(namespace, account, &["--duration=24h"]);
        let path = self.dir.join("pki").join(format!("{account}.kubeconfig"));
        let ca = self.dir.join("pki/ca.crt");
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: lab\n\
             clusters: [{{name: lab, cluster: {{server: \"{}\", certificate-authority: {}}}}}]\n\
             users: [{{name: lab, user: {{token: {token}}}}}]\n\
             contexts: [{{name: lab, context: {{cluster: lab, user: lab}}}}]\n",
            self.url(),
            ca.display()
        );
        std::fs::write(&path, text).expect("the control plane's own directory");
        path
    }

    /// A Node that is Ready for as long as the value lives and is not told otherwise.
    ///
    /// # Panics
    /// The server refuses it.
    pub fn node(&self, name: &str, address: Ipv4Addr) -> HeldNode {
        HeldNode::new(self, name, address)
    }
}

/// Discovery is cached beside the kubeconfig: another control plane has other kinds.
fn kubectl(netns: &Netns, kubeconfig: &Path, words: &[&str], input: &str) -> Result<Said> {
    let mut command = netns.command(kubelab());
    command.arg("kubectl").arg("--kubeconfig").arg(kubeconfig);
    command.arg("--cache-dir").arg(kubeconfig.with_file_name("cache")).args(words);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().context("kubectl")?;
    child.stdin.take().context("a pipe")?.write_all(input.as_bytes())?;
    let output = child.wait_with_output()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Said { success: output.status.success(), stdout: text(&output.stdout), stderr: text(&output.stderr) })
}

fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}

fn api_server(pki: &Pki, address: Ipv4Addr) -> Program {
    let flag = |name: &str, path: PathBuf| format!("--{name}={}", path.display());
    Program::new(kubelab())
        .args(["kube-apiserver", "--etcd-servers=http://127.0.0.1:2379", "--bind-address=0.0.0.0"])
        .arg(format!("--secure-port={PORT}"))
        .arg(format!(
            "--advertise-address={}",
            if address.is_loopback() { Ipv4Addr::new(10, 0, 0, 200) } else { address }
        ))
        .arg(flag("tls-cert-file", pki.certificate("server")))
        .arg(flag("tls-private-key-file", pki.key("server")))
        .arg(flag("client-ca-file", pki.certificate("ca")))
        .arg(flag("service-account-key-file", pki.public_key("accounts")))
        .arg(flag("service-account-signing-key-file", pki.key("accounts")))
        .args(["--service-account-issuer=https://kubernetes.default.svc", "--authorization-mode=Node,RBAC"])
        .args(["--enable-admission-plugins=NodeRestriction", "--allow-privileged"])
        .arg(format!("--service-cluster-ip-range={SERVICES}"))
}

/// With short periods: a node that falls silent is noticed within seconds.
fn controller_manager(pki: &Pki) -> Program {
    let kubeconfig = pki.kubeconfig("controllers");
    let flag = |name: &str, path: &Path| format!("--{name}={}", path.display());
    Program::new(kubelab())
        .arg("kube-controller-manager")
        .arg(flag("kubeconfig", &kubeconfig))
        .arg(flag("authentication-kubeconfig", &kubeconfig))
        .arg(flag("authorization-kubeconfig", &kubeconfig))
        .arg(flag("service-account-private-key-file", &pki.key("accounts")))
        .arg(flag("root-ca-file", &pki.certificate("ca")))
        .args(["--use-service-account-credentials", "--leader-elect=false", "--bind-address=127.0.0.1"])
        .args(["--controllers=*,-bootstrap-signer-controller"])
        .args(["--node-monitor-period=1s", "--node-monitor-grace-period=6s"])
}
