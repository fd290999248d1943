//! What holds of any sequence of snapshots, and of any damage on the way.

use super::line::{Carried, Line, message, parts};
use super::snapshot;
use crate::wire::outbox::{Outbox, Outgoing};
use crate::wire::parts::{FULL, Head, Parts};
use crate::wire::proto::{Entry, Part};
use crate::wire::schema;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn vips() -> impl Strategy<Value = BTreeMap<u16, u32>> {
    prop::collection::btree_map(1..12_u16, 0..4_u32, 0..10)
}

#[derive(Debug, Clone)]
enum Event {
    /// VIPs by number and flavour; which of them are being left.
    Snapshot(BTreeMap<u16, u32>, Vec<u16>),
    Reconnect,
}

fn event() -> impl Strategy<Value = Event> {
    let leaving = prop::collection::vec(1..12_u16, 0..3);
    prop_oneof![
        4 => (vips(), leaving).prop_map(|(vips, leaving)| Event::Snapshot(vips, leaving)),
        1 => Just(Event::Reconnect),
    ]
}

/// One thing that can go wrong with a part.
fn spoil(part: &mut Part, kind: u8, place: usize, bit: u8) {
    let flip = |bytes: &mut bytes::Bytes| {
        let mut spoilt = bytes.to_vec();
        if !spoilt.is_empty() {
            let place = place % spoilt.len();
            spoilt[place] ^= 1 << (bit % 8);
        }
        *bytes = spoilt.into();
    };
    let entries = part.entries.len();
    match kind % 6 {
        0 if entries > 0 => flip(&mut part.entries[place % entries].value),
        1 if entries > 0 => part.entries[place % entries].key.push('x'),
        2 if entries > 0 => drop(part.entries.remove(place % entries)),
        3 => part.entries.push(Entry { key: "vip/foreign".to_owned(), value: "{}".into() }),
        4 if !part.removed.is_empty() => drop(part.removed.pop()),
        _ => flip(&mut part.digest),
    }
}

proptest! {
    #[test]
    fn changes_lead_to_the_same_as_the_whole(events in prop::collection::vec(event(), 1..12)) {
        let mut line = Line::new();
        for (generation, event) in (1..).zip(events) {
            match event {
                Event::Reconnect => line.reconnect(),
                Event::Snapshot(vips, leaving) => {
                    let sent = snapshot(&vips, &leaving);
                    line.carry(message(&sent, generation), |_| {}).unwrap();
                    let taken = line.snapshot.clone().unwrap();
                    prop_assert!(taken.same_content(&sent), "{taken:?} {sent:?}");
                }
            }
        }
    }

    #[test]
    fn a_spoilt_page_never_comes_into_force_and_the_whole_one_heals_it(
        (before, after) in (vips(), vips()),
        (kind, place, bit) in any::<(u8, usize, u8)>(),
    ) {
        let (before, after) = (snapshot(&before, &[]), snapshot(&after, &[1]));
        let mut line = Line::new();
        line.carry(message(&before, 1), |_| {}).unwrap();
        let spoilt = line.carry(message(&after, 2), |part| spoil(part, kind, place, bit)).unwrap();
        prop_assert_eq!(spoilt, Carried::Resend);
        prop_assert!(line.snapshot.clone().unwrap().same_content(&before));
        prop_assert_eq!(line.carry(message(&after, 2), |_| {}).unwrap(), Carried::Taken);
        prop_assert!(line.snapshot.unwrap().same_content(&after));
    }

    #[test]
    fn parts_are_short_and_together_the_page(vips in vips(), long in prop::collection::vec(0..FULL, 0..8)) {
        let mut sheet = (*message(&snapshot(&vips, &[]), 1).page.0[0]).clone();
        for (at, length) in long.iter().enumerate() {
            sheet.set(format!("vip/long-{at}").into(), vec![b' '; *length].into());
        }
        let page = crate::wire::page::Page(vec![sheet.into()]);
        let head = Head { schema: schema::SCHEMA, term: None, generation: 1 };
        let parts: Vec<Part> = Parts::whole(head, &page).collect();
        let last = parts.len() - 1;
        for (at, part) in parts.iter().enumerate() {
            let size: usize = part.entries.iter().map(|entry| entry.value.len()).sum();
            prop_assert!(size <= FULL || part.entries.len() == 1);
            prop_assert_eq!(part.digest.is_empty(), at != last);
        }
        let together = parts.iter().flat_map(|part| &part.entries);
        prop_assert!(together.map(|entry| entry.key.as_str()).eq(page.entries().map(|(key, _)| key.as_ref())));
    }

    #[test]
    fn an_inbox_survives_any_parts(noise in prop::collection::vec(noise(), 0..20)) {
        let mut line = Line::new();
        let good = snapshot(&BTreeMap::from([(1, 1)]), &[]);
        line.carry(message(&good, 1), |_| {}).unwrap();
        let before = line.inbox.page().clone();
        for part in noise {
            if line.inbox.take(part).is_err() {
                line.inbox.restart();
            }
        }
        prop_assert_eq!(line.inbox.page(), &before);
    }
}

fn noise() -> impl Strategy<Value = Part> {
    let entry = (".{0,40}", prop::collection::vec(any::<u8>(), 0..40))
        .prop_map(|(key, value)| Entry { key, value: value.into() });
    let entries = prop::collection::vec(entry, 0..4);
    let removed = prop::collection::vec("[a-z/]{0,9}", 0..3);
    let digest = prop::collection::vec(any::<u8>(), 0..42);
    (0..3_u32, 0..3_u64, any::<bool>(), entries, removed, digest).prop_map(
        |(schema, generation, whole, entries, removed, digest)| Part {
            schema,
            term: None,
            generation,
            whole,
            entries,
            removed,
            digest: digest.into(),
        },
    )
}

#[test]
fn nothing_is_sent_twice_and_nothing_while_a_page_is_under_way() {
    let mut outbox = Outbox::new(&schema::hello(None));
    let page = |flavour| Outgoing::Page(message(&snapshot(&BTreeMap::from([(1, flavour)]), &[]), 1));
    let first = outbox.next(page(1)).unwrap();
    assert!(!parts(&first).is_empty());
    assert!(outbox.next(page(2)).is_none(), "the first is not answered");
    outbox.taken(1).unwrap();
    assert!(outbox.next(page(1)).is_none(), "it has that one");
    assert!(outbox.next(page(2)).is_some());
    outbox.taken(1).unwrap();
    assert!(outbox.taken(1).is_err(), "nothing was sent");
}

#[test]
fn a_line_that_spoils_everything_is_given_up() {
    let mut outbox = Outbox::new(&schema::hello(None));
    let outcomes: Vec<bool> = (0..3)
        .map(|_| {
            outbox.next(Outgoing::Page(message(&snapshot(&BTreeMap::new(), &[]), 1))).unwrap();
            outbox.resend().is_ok()
        })
        .collect();
    assert_eq!(outcomes, [true, true, false]);
}
