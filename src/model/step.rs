//! Two sorted maps, walked through in step: for whoever compares maps that are mostly alike, much faster than to
//! look each key up.

use std::collections::BTreeMap;
use std::iter::from_fn;

/// Every key of either, in order, with what it has in each.
pub fn in_step<'a, K: Ord, V>(
    a: &'a BTreeMap<K, V>,
    b: &'a BTreeMap<K, V>,
) -> impl Iterator<Item = (&'a K, Option<&'a V>, Option<&'a V>)> {
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    from_fn(move || {
        let least = match (a.peek(), b.peek()) {
            (Some((a, _)), Some((b, _))) => *a.min(b),
            (Some((key, _)), None) | (None, Some((key, _))) => key,
            (None, None) => return None,
        };
        let of_a = a.next_if(|(key, _)| *key == least).map(|(_, value)| value);
        Some((least, of_a, b.next_if(|(key, _)| *key == least).map(|(_, value)| value)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_either_comes_once_and_in_order() {
        let (a, b) = (BTreeMap::from([(1, 'a'), (3, 'c')]), BTreeMap::from([(2, 'b'), (3, 'd'), (4, 'e')]));
        let pairs: Vec<_> = in_step(&a, &b).collect();
        let expected = [
            (&1, Some(&'a'), None),
            (&2, None, Some(&'b')),
            (&3, Some(&'c'), Some(&'d')),
            (&4, None, Some(&'e')),
        ];
        assert_eq!(pairs, expected);
        assert_eq!(in_step(&a, &BTreeMap::new()).count(), 2);
    }
}
