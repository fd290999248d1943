//! A Node object that is kept Ready, as a kubelet would.

use super::ControlPlane;
use crate::Netns;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Well within the grace period of the node-lifecycle controller.
const RENEW: Duration = Duration::from_secs(2);

/// A node with a heartbeat.
#[derive(Debug)]
pub struct HeldNode {
    name: String,
    stop: Option<Sender<()>>,
    heart: Option<JoinHandle<()>>,
}

struct Heart {
    netns: Netns,
    kubeconfig: PathBuf,
    name: String,
}

impl HeldNode {
    pub(super) fn new(plane: &ControlPlane, name: &str, address: Ipv4Addr) -> Self {
        plane.apply(&format!(
            "apiVersion: v1\nkind: Node\nmetadata:\n  name: {name}\n  labels: {{kubernetes.io/hostname: {name}}}\n"
        ));
        let status = format!(
            r#"{{"status":{{"addresses":[{{"type":"InternalIP","address":"{address}"}}],"conditions":[{{"type":"Ready","status":"True","reason":"KubeletReady","message":"ready","lastHeartbeatTime":null,"lastTransitionTime":null}}]}}}}"#
        );
        plane.must(&["patch", "node", name, "--subresource=status", "--type=merge", "-p", &status]);
        let heart = Heart {
            netns: plane.netns().clone(),
            kubeconfig: plane.admin_kubeconfig(),
            name: name.to_owned(),
        };
        heart.beat();
        let mut held = Self { name: name.to_owned(), stop: None, heart: None };
        held.start(heart);
        held
    }

    fn start(&mut self, heart: Heart) {
        let (stop, stopped) = channel::<()>();
        let beats = move || {
            while stopped.recv_timeout(RENEW) == Err(RecvTimeoutError::Timeout) {
                heart.beat();
            }
        };
        (self.stop, self.heart) = (Some(stop), Some(std::thread::spawn(beats)));
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// No heartbeat any more: the node becomes NotReady by itself.
    pub fn fall_silent(&mut self) {
        self.stop = None;
        if let Some(heart) = self.heart.take() {
            let _ = heart.join();
        }
    }
}

impl Drop for HeldNode {
    fn drop(&mut self) {
        self.fall_silent();
    }
}

impl Heart {
    /// Renews the Lease that the lifecycle controller watches. An API server that is away is no reason to stop.
    fn beat(&self) {
        let now = self.netns.command("date").args(["-u", "+%Y-%m-%dT%H:%M:%S.000000Z"]).output();
        let now =
            now.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
        let lease = format!(
            "apiVersion: coordination.k8s.io/v1\nkind: Lease\nmetadata: {{name: {0}, namespace: kube-node-lease}}\nspec: {{holderIdentity: {0}, leaseDurationSeconds: 40, renewTime: \"{now}\"}}\n",
            self.name
        );
        let words = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
        let _ = super::kubectl(&self.netns, &self.kubeconfig, &words, &lease);
    }
}
