//! What an operator would do by hand to announce addresses as the agent does: guard them, put them on `lo`, tell
//! bgpd. The fastest tools there are: one `nft -f`, one `ip -batch`, one session on bgpd's own socket.

use novaedge_lab::{Node, eventually};
use std::fmt::Write;
use std::time::Duration;

pub struct Hand<'a> {
    node: &'a Node,
}

impl<'a> Hand<'a> {
    /// Sets the session up, and returns when it is established.
    pub fn on(node: &'a Node) -> Self {
        let router = node.address4();
        node.netns().nft("table inet hand { set vips { type ipv4_addr; }; chain in { type filter hook input priority 0; ip daddr @vips tcp dport 22 drop; }; }").unwrap();
        let lines = [
            "route-map OUT permit 10",
            "set community 64501:100",
            "exit",
            "router bgp 64501",
            &format!("bgp router-id {router}"),
            "no bgp ebgp-requires-policy",
            "neighbor 10.0.0.254 remote-as 64500",
            "neighbor 10.0.0.254 timers 3 9",
            "neighbor 10.0.0.254 timers connect 1",
            "address-family ipv4 unicast",
            "neighbor 10.0.0.254 route-map OUT out",
        ];
        node.frr().configure("bgpd", &lines).unwrap();
        eventually("the session by hand is up", Duration::from_secs(20), || {
            let said =
                node.frr().ask_json("bgpd", "show bgp summary json").map_err(|error| error.to_string())?;
            let state = said["ipv4Unicast"]["peers"]["10.0.0.254"]["state"].clone();
            if state == "Established" { Ok(()) } else { Err(state.to_string()) }
        })
        .unwrap();
        Self { node }
    }

    pub fn announce(&self, addresses: &[String]) {
        let all = addresses.join(", ");
        self.node.netns().nft(&format!("add element inet hand vips {{ {all} }}")).unwrap();
        let add = |text: String, address: &String| {
            text + &format!("addr add {address}/32 dev lo valid_lft 3600 preferred_lft 3600\n")
        };
        self.node.netns().ip_batch(&addresses.iter().fold(String::new(), add)).unwrap();
        self.networks("", addresses);
    }

    pub fn withdraw(&self, addresses: &[String]) {
        self.networks("no ", addresses);
        let mut batch = String::new();
        for address in addresses {
            writeln!(batch, "addr del {address}/32 dev lo").unwrap();
        }
        self.node.netns().ip_batch(&batch).unwrap();
        self.node
            .netns()
            .nft(&format!("delete element inet hand vips {{ {} }}", addresses.join(", ")))
            .unwrap();
    }

    fn networks(&self, no: &str, addresses: &[String]) {
        let mut lines = vec!["router bgp 64501".to_owned(), "address-family ipv4 unicast".to_owned()];
        lines.extend(addresses.iter().map(|address| format!("{no}network {address}/32")));
        self.node.frr().configure("bgpd", &lines).unwrap();
    }
}
