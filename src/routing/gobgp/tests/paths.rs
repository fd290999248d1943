use super::super::path::{Said, announcement, route, said, withdrawal};
use crate::model::bgp::{Community, PathAttributes};
use crate::model::net::HostRoute;
use proptest::prelude::*;
use std::net::IpAddr;

fn any_said() -> impl Strategy<Value = Said> {
    let community = prop_oneof![
        any::<(u16, u16)>().prop_map(|(a, b)| Community::Standard(a, b)),
        any::<(u32, u32, u32)>().prop_map(|(a, b, c)| Community::Large(a, b, c)),
    ];
    let communities = prop::collection::btree_set(community, 0..100);
    let attributes = (communities, any::<Option<u32>>(), any::<Option<u32>>());
    (attributes, prop::collection::vec(any::<u32>(), 0..=10)).prop_map(
        |((communities, local_preference, med), as_path)| Said {
            attributes: PathAttributes { communities, local_preference, med, prepend: 0 },
            as_path,
        },
    )
}

proptest! {
    #[test]
    fn what_is_written_is_what_is_read(wanted in any_said(), address in any::<IpAddr>()) {
        let Ok(host) = HostRoute::new(address) else { return Ok(()) };
        let path = announcement(host, &wanted);
        prop_assert_eq!(route(&path), Some(host));
        prop_assert_eq!(said(&path), wanted);
        let gone = withdrawal(host);
        prop_assert!(gone.is_withdraw && route(&gone) == Some(host));
    }

    #[test]
    fn no_bytes_are_too_strange(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        let mut path = withdrawal(HostRoute::parse("10.200.0.20").unwrap());
        path.pattrs_binary = vec![bytes.clone().into()];
        path.nlri_binary = bytes.into();
        let _ = (route(&path), said(&path));
    }
}

/// RFC 4271 §4.3, octet by octet.
#[test]
fn a_path_is_bgps_own_encoding() {
    let attributes = PathAttributes {
        communities: [Community::Standard(64501, 100)].into(),
        med: Some(50),
        ..PathAttributes::default()
    };
    let path =
        announcement(HostRoute::parse("10.200.0.20").unwrap(), &Said { attributes, as_path: vec![64501] });
    assert_eq!(path.nlri_binary.as_ref(), [32, 10, 200, 0, 20]);
    let attributes: Vec<&[u8]> = path.pattrs_binary.iter().map(AsRef::as_ref).collect();
    let wanted: [&[u8]; 5] = [
        &[0x40, 1, 1, 0],
        &[0x40, 2, 6, 2, 1, 0, 0, 0xfb, 0xf5],
        &[0x40, 3, 4, 0, 0, 0, 0],
        &[0x80, 4, 4, 0, 0, 0, 50],
        &[0xc0, 8, 4, 0xfb, 0xf5, 0, 100],
    ];
    assert_eq!(attributes, wanted);
}
