//! What is on a page, and what becomes of entries that cannot be used.

use super::line::{Carried, Line, message};
use super::*;
use crate::model::observed::{Observed, PeerObserved, PeerState, Served};
use crate::model::status::{NodeStatus, Phase, VipStatus};
use crate::wire::inbox::Broken;
use crate::wire::orders::{self, Orders};
use crate::wire::page::{Change, Sheet};
use crate::wire::parts::LONGEST_ENTRY;
use crate::wire::proto::Entry;
use crate::wire::report::{Report, Written};
use bytes::Bytes;

fn whole(sheets: &[Arc<Sheet>]) -> Change {
    let entries = sheets.iter().flat_map(|sheet| sheet.iter());
    let set = entries.map(|(key, value)| (Arc::clone(key), value.clone())).collect();
    Change { removed: Vec::new(), set }
}

#[test]
fn what_is_not_understood_is_rejected_by_itself() {
    let good = snapshot(&BTreeMap::from([(1, 1), (2, 2)]), &[]);
    let mut sheet = (*orders::page(&good).0[0]).clone();
    sheet.set("quic/vip-1".into(), Bytes::from_static(b"{}"));
    sheet.set("vip/vip-3".into(), Bytes::from_static(b"{\"reach\":{\"mode\":\"ISIS\"}}"));
    sheet.set("vip/NO_NAME".into(), Bytes::from_static(b"{}"));
    let mut sheets = orders::page(&good).0;
    sheets[0] = sheet.into();
    let mut orders = Orders::none(name("n1"));
    let read = orders.follow(&whole(&sheets), 1).unwrap();
    assert!(read.same_content(&good), "{read:?}");
    let rejected: Vec<String> =
        orders.rejected().into_iter().map(|r| format!("{}: {}", r.object, r.message)).collect();
    assert_eq!(rejected.len(), 3, "{rejected:?}");
    assert!(rejected[0].starts_with("quic/vip-1: this version does not know"), "{rejected:?}");
    assert!(rejected[1].starts_with("vip/NO_NAME: its key is no valid name"), "{rejected:?}");
    assert!(rejected[2].starts_with("vip/vip-3: this version cannot read it"), "{rejected:?}");
    let gone = Change {
        removed: vec!["quic/vip-1".into(), "vip/NO_NAME".into(), "vip/vip-3".into()],
        ..Change::default()
    };
    assert!(orders.follow(&gone, 2).unwrap().same_content(&good));
    assert_eq!(orders.rejected(), []);
}

#[test]
fn an_object_that_no_longer_can_be_read_is_not_used_as_it_was() {
    let good = snapshot(&BTreeMap::from([(1, 1), (2, 2)]), &[]);
    let mut orders = Orders::none(name("n1"));
    orders.follow(&whole(&orders::page(&good).0), 1).unwrap();
    let edit =
        Change { removed: vec![], set: BTreeMap::from([("vip/vip-1".into(), Bytes::from_static(b"7"))]) };
    let read = orders.follow(&edit, 2).unwrap();
    assert_eq!(
        read.vips.keys().collect::<Vec<_>>(),
        [&vip_name(2)],
        "a page means the same to whoever reads it"
    );
}

#[test]
fn another_nodes_orders_are_never_followed() {
    let theirs = orders::page(&snapshot(&BTreeMap::from([(1, 1)]), &[]));
    let mut orders = Orders::none(name("n2"));
    assert_eq!(orders.follow(&whole(&theirs.0), 1), None);
    assert_eq!(orders.rejected()[0].object, "node");
}

#[test]
fn an_entry_that_no_message_carries_says_so_in_its_place() {
    let mut bloated = snapshot(&BTreeMap::from([(1, 1), (2, 2)]), &[]);
    let endpoint = backend(1).endpoints[0].clone();
    let key = Key::new(name("default"), vip_name(1));
    let backends = &mut Arc::make_mut(&mut bloated.serving).backends;
    Arc::make_mut(backends.get_mut(&key).unwrap()).endpoints = vec![endpoint; LONGEST_ENTRY / 32];
    let page = orders::page(&bloated);
    let mut orders = Orders::none(name("n1"));
    let read = orders.follow(&whole(&page.0), 1).unwrap();
    assert_eq!((read.vips.len(), read.serving.backends.len()), (2, 1));
    assert_eq!(orders.rejected()[0].object, "too-long/backend/default/vip-1");
    let mended = snapshot(&BTreeMap::from([(1, 1), (2, 2)]), &[]);
    let sheet = orders::serving(&mended.serving, Some((&bloated.serving, &page.0[1])));
    assert_eq!(sheet, *orders::page(&mended).0[1]);
}

#[test]
fn one_vip_of_ten_thousand_is_sent_alone() {
    let mut vips: BTreeMap<u16, u32> = (0..10_000).map(|number| (number, 0)).collect();
    let mut line = Line::new();
    line.inbox = crate::wire::inbox::Inbox::new(Sheet::default(), 64 << 20);
    line.carry(message(&snapshot(&vips, &[]), 1), |_| {}).unwrap();
    line.carried = 0;
    vips.insert(77, 1);
    assert_eq!(line.carry(message(&snapshot(&vips, &[]), 2), |_| {}), Ok(Carried::Taken));
    assert!(line.carried < 1000, "{} bytes", line.carried);
}

#[test]
fn pages_and_keys_have_bounds() {
    let mut line = Line::new();
    let good = snapshot(&BTreeMap::from([(1, 1)]), &[]);
    line.carry(message(&good, 1), |_| {}).unwrap();
    let many = snapshot(&(0..9000).map(|number| (number, 0)).collect(), &[]);
    assert!(matches!(line.carry(message(&many, 2), |_| {}), Err(Broken::TooLong { .. })));
    line.reconnect();
    let entry = Entry { key: "k".repeat(2000), value: Bytes::new() };
    let next = snapshot(&BTreeMap::from([(1, 2)]), &[]);
    let broken = line.carry(message(&next, 3), |part| part.entries.push(entry.clone()));
    assert_eq!(broken, Err(Broken::Key(2000)));
    assert!(line.snapshot.unwrap().same_content(&good));
}

fn status(vips: u16) -> NodeStatus {
    let vip = |number| VipStatus {
        addresses: vec![route(number)],
        mode: "BGP".to_owned(),
        phase: Phase::Announced,
        reasons: vec![],
        since: 1,
        ports: vec![],
    };
    let peer = PeerObserved {
        asn: 64500,
        local_asn: 64501,
        state: PeerState::Established,
        uptime_seconds: 1,
        prefixes_sent: 1,
        prefixes_received: 0,
        flaps: 0,
        last_error: None,
    };
    NodeStatus {
        node: name("n1"),
        version: "1".to_owned(),
        generation: 1,
        term: None,
        started: 1,
        wish: Some(Cause::Drain),
        held: (0..vips).map(route).collect(),
        vips: (0..vips).map(|number| (vip_name(number), vip(number))).collect(),
        routing: Observed {
            peers: BTreeMap::from([([10, 0, 0, 254].into(), peer)]),
            announced: (0..vips).map(route).collect(),
            ..Observed::default()
        },
        served: Served::default(),
        rejected: vec![],
    }
}

#[test]
fn a_report_sends_what_changed_and_reads_back() {
    let mut newest = status(1000);
    let mut written = Written::new(Arc::new(newest.clone()));
    let mut report = Report::none(name("n1"));
    assert_eq!(*report.follow(&whole(&written.page().0)).unwrap(), newest);
    newest.vips.get_mut(&vip_name(7)).unwrap().phase = Phase::Draining;
    newest.routing.announced.remove(&route(7));
    newest.held.remove(&route(8));
    newest.served.connections = 5;
    newest.rejected = orders_rejected();
    let before = written.sheet().clone();
    written.update(Arc::new(newest.clone()));
    let change = before.change_to(written.sheet());
    let size: usize = change.set.iter().map(|(key, value)| key.len() + value.len()).sum();
    assert!(size < 2000, "{size} bytes");
    assert_eq!(*report.follow(&change).unwrap(), newest);
    assert_eq!(written.sheet(), Written::new(Arc::new(newest)).sheet(), "the way there does not matter");
}

fn orders_rejected() -> Vec<crate::model::status::Rejected> {
    let mut orders = Orders::none(name("n1"));
    let set = BTreeMap::from([(Arc::from("quic/x"), Bytes::from_static(b"1"))]);
    orders.follow(&Change { removed: vec![], set }, 1);
    orders.rejected()
}
