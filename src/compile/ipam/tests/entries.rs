use super::super::pool::Pool;
use crate::api::pool::PoolSpec;
use crate::compile::rejection::Findings;

/// The spans of a pool with one block or one address, or what is said about it.
fn read(list: &str, entry: &str) -> String {
    let spec: PoolSpec = serde_json::from_value(serde_json::json!({list: [entry]})).unwrap();
    let mut findings = Findings::about("ProxyIPPool", "p");
    let pool = Pool::read(&spec, &mut findings);
    let spans: Vec<_> = pool.all().map(|span| span.to_string()).collect();
    let refused = findings.into_rejections().into_iter().map(|r| format!("{}: {}", r.field, r.message));
    spans.into_iter().chain(refused).collect::<Vec<_>>().join("; ")
}

#[test]
fn blocks_give_their_usable_addresses() {
    let rows = [
        ("10.200.0.0/24", "10.200.0.1-10.200.0.254"),
        ("10.200.0.0/30", "10.200.0.1-10.200.0.2"),
        ("10.200.0.0/31", "10.200.0.0-10.200.0.1"),
        ("10.200.0.7/32", "10.200.0.7"),
        ("2001:db8::/126", "2001:db8::1-2001:db8::3"),
        ("2001:db8::/127", "2001:db8::-2001:db8::1"),
        ("2001:db8::7/128", "2001:db8::7"),
        ("2001:db8::/64", "2001:db8::1-2001:db8::ffff:ffff:ffff:ffff"),
    ];
    for (entry, spans) in rows {
        assert_eq!(read("cidrs", entry), spans, "{entry}");
    }
}

#[test]
fn addresses_are_single_or_ranges() {
    let rows = [
        ("10.200.1.10", "10.200.1.10"),
        ("10.200.1.10/32", "10.200.1.10"),
        ("2001:db8::10/128", "2001:db8::10"),
        ("10.200.1.10-10.200.1.20", "10.200.1.10-10.200.1.20"),
        ("2001:db8::1 - 2001:db8::9", "2001:db8::1-2001:db8::9"),
        ("10.200.1.10-10.200.1.10", "10.200.1.10"),
    ];
    for (entry, spans) in rows {
        assert_eq!(read("addresses", entry), spans, "{entry}");
    }
}

#[test]
fn every_bad_entry_is_refused_with_its_remedy() {
    let rows = [
        ("cidrs", "10.200.0.0", "write one like 10.200.0.0/24"),
        ("cidrs", "10.200.0.0/33", "write one like 10.200.0.0/24"),
        ("cidrs", "10.200.0.5/24", "write 10.200.0.0/24"),
        ("cidrs", "::ffff:10.0.0.0/104", "is not a block"),
        ("cidrs", "::/0", "::1/128"),
        ("cidrs", "0.0.0.0/0", "0.0.0.0/8"),
        ("cidrs", "127.0.0.0/24", "127.0.0.0/8"),
        ("cidrs", "240.0.0.0/4", "224.0.0.0/3"),
        ("cidrs", "fe80::/64", "fe80::/10"),
        ("addresses", "10.200.1.0/24", "write it under cidrs"),
        ("addresses", "10.200.1.9-10.200.1.1", "write 10.200.1.1-10.200.1.9"),
        ("addresses", "10.200.1.9-2001:db8::1", "different families"),
        ("addresses", "::2-::1:0:0:0", "cannot be VIPs"),
        ("addresses", "::ffff:10.0.0.1", "is not an address"),
        ("addresses", "ten", "write one like 10.200.1.10"),
        ("addresses", "10.200.1.1-", "write one like 10.200.1.10"),
        ("addresses", "224.0.0.5", "cannot be VIPs"),
    ];
    for (list, entry, words) in rows {
        let said = read(list, entry);
        assert!(said.starts_with(&format!("spec.{list}[0]: ")), "{entry}: {said}");
        assert!(said.contains(words), "{entry}: {said}");
    }
}

#[test]
fn a_bad_entry_leaves_the_good_ones_and_a_delay_is_rounded_up() {
    let spec = serde_json::json!({"cidrs": ["x", "10.0.0.0/30"], "addresses": ["10.0.0.3"], "reclaimDelay": "1500ms"});
    let mut findings = Findings::about("ProxyIPPool", "p");
    let pool = Pool::read(&serde_json::from_value(spec).unwrap(), &mut findings);
    assert_eq!(pool.all().map(|span| span.to_string()).collect::<Vec<_>>(), ["10.0.0.1-10.0.0.3"]);
    assert_eq!(pool.reclaim_delay, 2);
    assert_eq!(findings.into_rejections().len(), 1);
}
