//! Controllers that are killed at random points under random changes: no address is ever given twice, none is ever
//! changed, and the end is what a controller makes of it that reads everything anew.

use super::cluster::{NAMESPACE, install};
use super::estate::SOON;
use novaedge_lab::kube::ControlPlane;
use novaedge_lab::{Process, Program, eventually};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::sync::mpsc::channel;
use std::time::Duration;

const SEED: u64 = 20_261_127;
const KILLS: u32 = 50;
const CHANGES: u32 = 10;
const NAMES: [&str; 2] = ["east", "west"];

/// Fewer addresses than VIPs may want: some wait.
const POOL: &str = "apiVersion: novaedge.io/v1alpha1\nkind: ProxyIPPool\nmetadata: {name: storm}\nspec: {cidrs: [10.200.1.0/27], reclaimDelay: 1s}\n---\n";

fn vip(number: u32, random: &mut fastrand::Rng) -> String {
    let from = match random.u32(..8) {
        0 => format!("address: 10.200.1.{}", random.u32(1..31)),
        _ => "poolRef: {name: storm}".to_owned(),
    };
    format!(
        "apiVersion: novaedge.io/v1alpha1\nkind: ProxyVIP\nmetadata: {{name: v{number}}}\nspec:\n  {from}\n  mode: BGP\n  \
         ports: [{}]\n  bgpConfig: {{localAS: 64501, peers: [{{address: 10.0.0.254, as: 64500}}]}}\n---\n",
        random.u32(1..1000)
    )
}

/// Random changes, as one kubectl says them: most are applied, some VIPs are deleted. Returns the VIPs that wrote an
/// address themselves.
fn change(kube: &ControlPlane, random: &mut fastrand::Rng) -> Vec<String> {
    let mut yaml = POOL.to_owned();
    let (mut gone, mut by_value) = (Vec::new(), Vec::new());
    for _ in 0..CHANGES {
        let number = random.u32(..45);
        if random.u32(..4) == 0 {
            gone.push(format!("v{number}"));
            continue;
        }
        let text = vip(number, random);
        if text.contains("  address:") {
            by_value.push(format!("v{number}"));
        }
        yaml.push_str(&text);
    }
    kube.apply(&yaml);
    let gone: Vec<&str> = gone.iter().map(String::as_str).collect();
    if !gone.is_empty() {
        kube.must(&[&["delete", "proxyvip", "--ignore-not-found", "--wait=false"], &gone[..]].concat());
    }
    by_value
}

fn objects(kube: &ControlPlane, kind: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(&kube.must(&["get", kind, "-o", "json"])).unwrap();
    all["items"].as_array().unwrap().clone()
}

/// What the pool has given to VIPs now, by each VIP's name and UID; of those whose status is about their newest spec. Fails when an address has two VIPs, or a VIP another address
/// than it had.
fn look(kube: &ControlPlane, had: &mut Had) {
    let mut owner: BTreeMap<String, String> = BTreeMap::new();
    let mut now = BTreeMap::new();
    for vip in objects(kube, "proxyvip") {
        let name = vip["metadata"]["name"].as_str().unwrap().to_owned();
        let uid = vip["metadata"]["uid"].as_str().unwrap().to_owned();
        for address in vip["status"]["addresses"].as_array().into_iter().flatten() {
            let address = address.as_str().unwrap().to_owned();
            let other = owner.insert(address.clone(), name.clone());
            assert_eq!(other, None, "{address} has two VIPs, {name} one of them");
        }
        let key = (name, uid);
        let before = had.get(&key);
        let is_told = vip["status"]["observedGeneration"] == vip["metadata"]["generation"];
        let given = vip["status"]["allocatedAddress"]
            .as_str()
            .filter(|_| vip["spec"]["poolRef"].is_object() && is_told);
        if let Some(address) = given {
            let name = &key.0;
            assert!(
                before.is_none_or(|before| before == address),
                "{name} had {before:?}, and now {address}"
            );
            now.insert(key, address.to_owned());
        } else {
            now.extend(before.map(|before| (key, before.clone())));
        }
    }
    *had = now;
}

/// By name and UID.
type Had = BTreeMap<(String, String), String>;

struct Storm {
    kube: ControlPlane,
    controllers: [Process; 2],
}

fn start(kube: &ControlPlane, dir: &std::path::Path, name: &str, port: u16) -> Process {
    let program = Program::new(env!("CARGO_BIN_EXE_novaedge-controller"))
        .args(["run", "--insecure", "--identity", name, "--listen", &format!("127.0.0.1:{port}")])
        .arg("--kubeconfig")
        .arg(kube.admin_kubeconfig())
        .arg("--state-dir")
        .arg(dir.join(name))
        .arg("--admin-socket")
        .arg(dir.join(format!("{name}.sock")))
        .args(["--metrics-address", &format!("127.0.0.1:{}", port + 1000)]);
    Process::start(kube.netns(), program, &dir.join(format!("{name}.log"))).unwrap()
}

impl Storm {
    /// Ends a controller at some moment of the change.
    fn kill(&self, victim: usize, after: Duration) {
        let (_never, said) = channel::<()>();
        let _ = said.recv_timeout(after);
        self.controllers[victim].kill9();
    }

    /// If the one that died held the Lease, nobody waits until it has run out.
    fn free(&self, dead: usize) {
        let lease = ["lease", "novaedge-controller", "-n", NAMESPACE];
        let get =
            [&["get"], &lease[..], &["--ignore-not-found", "-o", "jsonpath={.spec.holderIdentity}"]].concat();
        if self.kube.must(&get).starts_with(NAMES[dead]) {
            self.kube.must(&[&["delete"], &lease[..]].concat());
        }
    }

    /// What every VIP that is accepted says of itself, once it is about its newest spec.
    fn settled(&self) -> Result<Vec<(String, Value)>, String> {
        let mut all = Vec::new();
        for vip in objects(&self.kube, "proxyvip") {
            let name = vip["metadata"]["name"].as_str().unwrap().to_owned();
            if vip["status"]["observedGeneration"] != vip["metadata"]["generation"] {
                return Err(format!("{name} is not up to date"));
            }
            let conditions = vip["status"]["conditions"].as_array().unwrap().iter();
            let conditions: Vec<Value> =
                conditions.map(|c| serde_json::json!([c["type"], c["status"], c["reason"]])).collect();
            // What a refused edit leaves in use only those remember who saw it.
            if conditions.iter().all(|condition| condition[0] != "Accepted" || condition[1] == "True") {
                all.push((name, serde_json::json!([vip["status"]["addresses"], conditions])));
            }
        }
        Ok(all)
    }
}

#[test]
fn fifty_deaths_under_five_hundred_changes() {
    let _alone = crate::WORLD.lock().unwrap_or_else(PoisonError::into_inner);
    let kube = ControlPlane::alone("t-storm").unwrap_or_else(|error| panic!("{error:#}"));
    install(&kube);
    let dir = tempfile::tempdir().unwrap();
    let controllers = [start(&kube, dir.path(), "east", 7443), start(&kube, dir.path(), "west", 7444)];
    let storm = Storm { kube, controllers };
    let seed = std::env::var("NOVAEDGE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(SEED);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let mut had = Had::new();
    for death in 0..KILLS {
        let (victim, after) = (random.usize(..2), Duration::from_millis(random.u64(..600)));
        let by_value = std::thread::scope(|scope| {
            scope.spawn(|| storm.kill(victim, after));
            change(&storm.kube, &mut random)
        });
        // Who writes an address wants another one.
        had.retain(|(name, _), _| !by_value.contains(name));
        storm.free(victim);
        storm.controllers[victim].restart().unwrap();
        look(&storm.kube, &mut had);
        if death % 10 == 9 {
            println!("{} deaths: {} VIPs have an address of the pool", death + 1, had.len());
        }
    }
    let mut last = None;
    let end = eventually("the estate is at rest", SOON * 3, || {
        let now = storm.settled()?;
        let said = format!("{now:?}");
        if last.replace(said.clone()).as_ref() == Some(&said) {
            Ok(now)
        } else {
            Err("it still moves".to_owned())
        }
    });
    let end = end.unwrap_or_else(|error| panic!("{error:#}\n{}", storm.controllers[0].log()));
    look(&storm.kube, &mut had);

    // One that reads everything anew comes to the same. What was in use it knows from its state directory: who has an
    // address that a VIP of another one's now wants by value.
    storm.controllers.iter().for_each(Process::kill9);
    storm.kube.must(&["delete", "lease", "novaedge-controller", "-n", NAMESPACE]);
    storm.controllers[0].restart().unwrap();
    // Its first own word: a VIP that was not there.
    storm.kube.apply(&vip(99, &mut fastrand::Rng::with_seed(1)));
    eventually("the fresh one leads", SOON, || {
        let observed =
            storm.kube.must(&["get", "proxyvip", "v99", "-o", "jsonpath={.status.observedGeneration}"]);
        if observed == "1" { Ok(()) } else { Err(observed) }
    })
    .unwrap();
    storm.kube.must(&["delete", "proxyvip", "v99"]);
    let fresh = storm.settled().unwrap();
    let fresh: Vec<_> = fresh.into_iter().filter(|(name, _)| name != "v99").collect();
    assert_eq!(fresh, end);
}
