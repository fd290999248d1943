//! What is remembered changes nothing but the cost: whatever is edited, a compile with a memory says what a
//! fresh one says.

use super::*;
use crate::model::vip::Addresses;
use proptest::prelude::*;

/// An object and what it may say.
type Slot = (&'static str, &'static str, &'static [&'static str]);

const SLOTS: &[Slot] = &[
    (
        "ProxyVIPTemplate",
        "t",
        &[
            "spec: {mode: BGP, bgpConfig: {localAS: 64501, peers: [{address: 10.0.0.254, as: 64500}]}}",
            "spec: {mode: BGP, bgpConfig: {localAS: 64501, med: 5, peers: [{address: 10.0.0.254, as: 64500}]}}",
            "spec: {mode: OSPF, ospfConfig: {areaID: 0}, drain: {period: 3s}}",
        ],
    ),
    (
        "ProxyVIP",
        "a",
        &[
            "spec: {address: 10.200.0.20/32, ports: [80, 443], templateRef: {name: t}}",
            "spec: {address: 10.200.0.20/32, ports: [80], templateRef: {name: t}, allowedNamespaces: [other]}",
            "spec: {poolRef: {name: p}, ports: [80], templateRef: {name: t}}",
            "spec: {address: 10.200.0.0/24, ports: [80], templateRef: {name: t}}",
            "spec: {address: 10.0.0.254/32, ports: [80, 443], templateRef: {name: t}}",
        ],
    ),
    (
        "ProxyVIP",
        "b",
        &[
            "spec: {address: 10.200.0.21/32, ports: [80], mode: BGP, bgpConfig: {localAS: 64501, peers: [{address: 10.0.0.253, as: 64500, passwordSecretRef: {name: bgp, namespace: default, key: password}}]}}",
            "spec: {address: 10.200.0.20/32, ports: [80], templateRef: {name: t}}",
            "spec: {address: 10.200.0.21/32, ports: [80, 8080], nodeSelector: {matchLabels: {rack: b}}, mode: BGP, bgpConfig: {localAS: 64501, routerID: 10.1.1.1, peers: [{address: 10.0.0.254, as: 64500}]}}",
            "spec: {address: 10.200.0.21/32, ports: [80], mode: BGP, bgpConfig: {localAS: 64777, peers: [{address: 10.200.0.20, as: 64500}]}}",
        ],
    ),
    (
        "ProxyGateway",
        "g",
        &[
            "spec: {vipRef: a, listeners: [{name: http, port: 80, protocol: HTTP}, {name: tcp, port: 443, protocol: TCP}]}",
            "spec: {vipRef: b, listeners: [{name: http, port: 80, protocol: HTTP, hostnames: [www.example.com]}]}",
            "spec: {vipRef: none, listeners: [{name: http, port: 80, protocol: HTTP}]}",
        ],
    ),
    (
        "ProxyGateway",
        "h",
        &[
            "spec: {vipRef: a, listeners: [{name: http, port: 80, protocol: HTTP}]}",
            "spec: {vipRef: a, listeners: [{name: tcp, port: 80, protocol: TCP}]}",
        ],
    ),
    (
        "ProxyRoute",
        "r",
        &[
            "spec: {rules: [{backendRefs: [{name: x}, {name: z}]}]}",
            "spec: {parentRefs: [{name: g, sectionName: tcp}], rules: [{backendRefs: [{name: x}]}]}",
            "spec: {parentRefs: [{name: h}], hostnames: [other.example.com], rules: [{backendRefs: [{name: z}]}]}",
        ],
    ),
    (
        "ProxyRoute",
        "s",
        &[
            "spec: {parentRefs: [{name: g}, {name: h}], rules: [{matches: [{path: {type: PathPrefix, value: /s}}], backendRefs: [{name: z}]}]}",
            "spec: {parentRefs: [{name: g, sectionName: tcp}], rules: [{backendRefs: [{name: z}]}]}",
        ],
    ),
    (
        "ProxyBackend",
        "x",
        &[
            "spec: {endpoints: [{address: 10.9.0.1, port: 1}]}",
            "spec: {trafficPolicy: Local, endpoints: [{address: 10.9.0.1, port: 1, nodeName: n1}, {address: 10.9.0.2, port: 1, nodeName: n2}]}",
            "spec: {lbPolicy: Maglev, endpoints: [{address: 10.9.0.1, port: 1}]}",
        ],
    ),
    ("ProxyBackend", "z", &["spec: {endpoints: [{address: 10.9.0.3, port: 1}]}"]),
    (
        "Node",
        "n1",
        &[
            "metadata: {labels: {rack: a}}",
            "metadata: {labels: {rack: b}}",
            "status: {addresses: [{type: InternalIP, address: 10.200.0.20}]}",
        ],
    ),
    ("Node", "n2", &["metadata: {labels: {rack: b}}", "metadata: {labels: {rack: a}}"]),
    (
        "Secret",
        "bgp",
        &["stringData: {password: one}", "stringData: {password: two}", "stringData: {other: word}"],
    ),
];

#[derive(Debug, Clone)]
enum Step {
    /// The slot says something else, or is gone.
    Edit(usize, Option<usize>),
    /// `a` has an address from a pool, or none.
    Pool(Option<u8>),
    /// A node serves a VIP, of which it may be no candidate.
    Serves(Option<(&'static str, &'static str)>),
    /// What is in use comes from the disk.
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let edit = (0..SLOTS.len()).prop_flat_map(|slot| {
        let variants = prop::option::weighted(0.8, 0..SLOTS[slot].2.len());
        variants.prop_map(move |variant| Step::Edit(slot, variant))
    });
    let node = prop::sample::select(vec!["n1", "n2"]);
    let serves = (node, prop::sample::select(vec!["a", "b"]));
    prop_oneof![
        12 => edit,
        1 => prop::option::of(1..3_u8).prop_map(Step::Pool),
        1 => prop::option::of(serves).prop_map(Step::Serves),
        1 => Just(Step::Restart),
    ]
}

/// What a controller has, besides the memory.
struct Controller {
    world: Resources,
    accepted: Accepted,
    pools: Allocations,
    serving: BTreeMap<Name, BTreeSet<Name>>,
}

impl Controller {
    fn new() -> Self {
        let (accepted, pools, serving) = (Accepted::default(), Allocations::new(), BTreeMap::new());
        let mut controller = Self { world: Resources::default(), accepted, pools, serving };
        (0..SLOTS.len()).for_each(|slot| controller.edit(slot, Some(0)));
        controller
    }

    /// Everything else stays the same in memory.
    fn edit(&mut self, slot: usize, variant: Option<usize>) {
        let (kind, object, variants) = SLOTS[slot];
        let (name, key) = (name(object), Key::try_from(format!("default/{object}")).unwrap());
        let mut one = Resources::default();
        if let Some(variant) = variant {
            let (said, age) = (variants[variant], 40 - slot);
            let said = match said.strip_prefix("metadata: {") {
                Some(more) => format!("metadata: {{name: {object}, {more}"),
                None => format!(
                    "metadata: {{name: {object}, creationTimestamp: '2024-01-01T00:00:{age}Z'}}\n{said}"
                ),
            };
            one = super::world(&format!("kind: {kind}\n{said}"));
        }
        let world = &mut self.world;
        match kind {
            "ProxyVIPTemplate" => replace(&mut world.templates, &name, one.templates),
            "ProxyVIP" => replace(&mut world.vips, &name, one.vips),
            "ProxyGateway" => replace(&mut world.gateways, &key, one.gateways),
            "ProxyRoute" => replace(&mut world.routes, &key, one.routes),
            "ProxyBackend" => replace(&mut world.backends, &key, one.backends),
            "Node" => replace(&mut world.nodes, &name, one.nodes),
            "Secret" => replace(&mut world.secrets, &key, one.secrets),
            other => panic!("{other}"),
        }
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Edit(slot, variant) => self.edit(*slot, *variant),
            Step::Pool(last) => {
                let given = last.map(|last| Addresses::new([[10, 200, 1, last].into()].map(host)).unwrap());
                self.pools = given.into_iter().map(|given| (name("a"), given)).collect();
            }
            Step::Serves(who) => {
                let one = |(node, vip)| (name(node), BTreeSet::from([name(vip)]));
                self.serving = who.map(one).into_iter().collect();
            }
            Step::Restart => {
                let text = serde_json::to_string(&self.accepted).unwrap();
                self.accepted = serde_json::from_str(&text).unwrap();
            }
        }
    }

    fn compile(&self, memory: &mut Memory) -> (Estate, BTreeMap<Name, Snapshot>) {
        let Self { world, accepted, pools, serving } = self;
        let nodes = BTreeSet::from(["n1", "n2", "n3"].map(name));
        let given = Given { world, accepted, pools: Some(pools), nodes: &nodes, serving };
        let estate = Estate::compile(&given, memory);
        let snapshots = estate.snapshots(&BTreeMap::new());
        (estate, snapshots)
    }
}

fn host(address: std::net::IpAddr) -> crate::model::net::HostRoute {
    crate::model::net::HostRoute::new(address).unwrap()
}

fn replace<K: Ord, T>(all: &mut BTreeMap<K, Arc<T>>, key: &K, one: BTreeMap<K, Arc<T>>) {
    all.remove(key);
    all.extend(one);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]
    #[test]
    fn a_compile_that_remembers_says_what_a_fresh_one_says(steps in prop::collection::vec(step(), 1..24)) {
        let (mut controller, mut memory) = (Controller::new(), Memory::default());
        for step in &steps {
            controller.take(step);
            let (fresh, expected) = controller.compile(&mut Memory::default());
            let (remembered, snapshots) = controller.compile(&mut memory);
            prop_assert_eq!(snapshots, expected, "{:?}", step);
            prop_assert_eq!(&remembered.rejections, &fresh.rejections, "{:?}", step);
            prop_assert_eq!(remembered.accepted(), fresh.accepted(), "{:?}", step);
            controller.accepted = fresh.accepted();
        }
    }
}

/// Or else the property above would prove nothing.
#[test]
fn what_has_not_changed_is_the_same_in_memory() {
    let (mut controller, mut memory) = (Controller::new(), Memory::default());
    let (estate, _) = controller.compile(&mut memory);
    assert!(
        estate.rejections.iter().all(|found| found.severity == Severity::Notice),
        "{:?}",
        estate.rejections
    );
    // Passwords are in use from now on, and shapes may depend on them.
    controller.accepted = estate.accepted();
    let (_, before) = controller.compile(&mut memory);
    let slot = SLOTS.iter().position(|(kind, name, _)| (*kind, *name) == ("ProxyVIP", "a")).unwrap();
    controller.edit(slot, Some(1));
    let (_, after) = controller.compile(&mut memory);
    let [before, after] = [before, after].map(|snapshots| snapshots["n1"].clone());
    assert!(Arc::ptr_eq(&before.vips["b"], &after.vips["b"]));
    assert!(!Arc::ptr_eq(&before.vips["a"], &after.vips["a"]));
    let key = Key::try_from("default/z".to_owned()).unwrap();
    assert!(before.serving.backends.contains_key(&key) && !after.serving.backends.contains_key(&key));
}
