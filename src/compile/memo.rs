//! What was made once is not made again from the same.
//!
//! The compiler goes through the world in stages, and most of what it meets is as it was the last time. A stage
//! that costs something per object is a plain `fn` from an object's key and input to what it makes of it, and
//! [`Memo::of_each`] calls it only where the input is another one than before. Elsewhere it hands on what was
//! made then, as the same `Arc`, so that the next stage sees at a glance that there is nothing new.
//!
//! **Nothing can go stale**: a plain `fn` sees its arguments and nothing else, so all that its result depends on
//! is compared. And nothing piles up: a memo holds what the last call was about, and no more.

use std::collections::{BTreeMap, btree_map};
use std::iter::Peekable;
use std::ops::Deref;
use std::sync::Arc;

/// What a stage was given and has made, by key.
#[derive(Debug)]
pub struct Memo<K, I, O>(Vec<Made<K, I, O>>);

#[derive(Debug)]
pub struct Made<K, I, O> {
    pub key: K,
    input: I,
    pub output: Arc<O>,
}

impl<K, I, O> Default for Memo<K, I, O> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Ord, I: PartialEq, O> Memo<K, I, O> {
    /// What `make` makes of each input, in the order of the keys. The keys come in ascending order; one that
    /// does not is made anew.
    pub fn of_each(
        &mut self,
        inputs: impl IntoIterator<Item = (K, I)>,
        make: fn(&K, &I) -> O,
    ) -> &[Made<K, I, O>] {
        let mut before = std::mem::take(&mut self.0).into_iter().peekable();
        for (key, input) in inputs {
            while before.next_if(|made| made.key < key).is_some() {}
            let known = before.next_if(|made| made.key == key && made.input == input);
            let output = known.map_or_else(|| Arc::new(make(&key, &input)), |known| known.output);
            self.0.push(Made { key, input, output });
        }
        &self.0
    }
}

/// Compared by its place in memory: what is shared is never altered, so at the same place is the same. The
/// same at another place counts as something else, which costs time and changes nothing.
#[derive(Debug)]
pub struct Same<T: ?Sized>(pub Arc<T>);

impl<T: ?Sized> Same<T> {
    pub fn of(shared: &Arc<T>) -> Self {
        Self(Arc::clone(shared))
    }
}

impl<T: ?Sized> Clone for Same<T> {
    fn clone(&self) -> Self {
        Self::of(&self.0)
    }
}

impl<T: ?Sized> PartialEq for Same<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl<T: ?Sized> Deref for Same<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

/// Looks keys up in a map by walking along it: for whoever asks in ascending order, for most of what is there.
#[derive(Debug)]
pub struct Along<'a, K, V>(Peekable<btree_map::Iter<'a, K, V>>);

impl<'a, K: Ord, V> Along<'a, K, V> {
    pub fn new(map: &'a BTreeMap<K, V>) -> Self {
        Self(map.iter().peekable())
    }

    /// `None` also for a key that is smaller than one before.
    pub fn get(&mut self, key: &K) -> Option<&'a V> {
        while self.0.next_if(|(next, _)| *next < key).is_some() {}
        self.0.peek().filter(|(next, _)| *next == key).map(|(_, value)| *value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_input_gives_the_same_output_and_another_one_another() {
        let mut memo = Memo::<u8, u8, String>::default();
        let mut of = |inputs: &[(u8, u8)]| -> Vec<Arc<String>> {
            let made = memo.of_each(inputs.iter().copied(), |key, input| format!("{key} {input}"));
            made.iter().map(|made| Arc::clone(&made.output)).collect()
        };
        let first = of(&[(1, 1), (2, 1), (4, 1)]);
        let second = of(&[(1, 1), (2, 2), (3, 1), (4, 1)]);
        assert_eq!(second.iter().map(|text| text.as_str()).collect::<Vec<_>>(), ["1 1", "2 2", "3 1", "4 1"]);
        assert!(Arc::ptr_eq(&first[0], &second[0]) && Arc::ptr_eq(&first[2], &second[3]));
        let third = of(&[(4, 1), (1, 1)]);
        assert!(Arc::ptr_eq(&third[0], &second[3]), "what is gone in between is passed over");
        assert_eq!(*third[1], "1 1", "out of order is made anew");
        assert_eq!(of(&[(2, 2)]), [Arc::new("2 2".to_owned())], "forgotten, and right all the same");
    }

    #[test]
    fn whoever_asks_in_order_finds_everything() {
        let map = BTreeMap::from([(1, 'a'), (3, 'c'), (5, 'e')]);
        let mut along = Along::new(&map);
        let found: Vec<_> = (0..7).map(|key| along.get(&key)).collect();
        assert_eq!(found, [None, Some(&'a'), None, Some(&'c'), None, Some(&'e'), None]);
        let mut along = Along::new(&map);
        assert_eq!((along.get(&3), along.get(&3), along.get(&1)), (Some(&'c'), Some(&'c'), None));
    }
}
