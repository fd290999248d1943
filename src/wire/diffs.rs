//! What leads from one sheet to another, worked out once for all nodes that share them.

use super::page::{Change, Page, Sheet};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Sheets with fewer entries are compared anew each time.
const WORTH_KNOWING: usize = 32;
/// Pairs that are remembered.
const MOST: usize = 64;

/// The changes between pairs of sheets that somebody still has.
#[derive(Debug, Default)]
pub struct Diffs(Mutex<Vec<Known>>);

/// A weak pointer keeps its address from being used again, so that addresses can be compared.
#[derive(Debug)]
struct Known {
    from: Weak<Sheet>,
    to: Weak<Sheet>,
    change: Arc<Change>,
}

impl Diffs {
    /// Of each sheet, in the order of the sheets.
    pub fn between(&self, from: &Page, to: &Page) -> Vec<Arc<Change>> {
        let pairs = from.0.iter().zip(&to.0).filter(|(from, to)| !Arc::ptr_eq(from, to));
        pairs.map(|(from, to)| self.change(from, to)).collect()
    }

    fn change(&self, from: &Arc<Sheet>, to: &Arc<Sheet>) -> Arc<Change> {
        if from.len().max(to.len()) < WORTH_KNOWING {
            return Arc::new(from.change_to(to));
        }
        // Whoever needs the same waits for it here rather than working it out as well.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is = |weak: &Weak<Sheet>, sheet: &Arc<Sheet>| std::ptr::eq(weak.as_ptr(), Arc::as_ptr(sheet));
        if let Some(found) = known.iter().find(|known| is(&known.from, from) && is(&known.to, to)) {
            return Arc::clone(&found.change);
        }
        known.retain(|known| known.from.strong_count() > 0 && known.to.strong_count() > 0);
        if known.len() == MOST {
            known.remove(0);
        }
        let change = Arc::new(from.change_to(to));
        let (from, to) = (Arc::downgrade(from), Arc::downgrade(to));
        known.push(Known { from, to, change: Arc::clone(&change) });
        change
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn sheet(numbers: std::ops::Range<usize>) -> Arc<Sheet> {
        let entries = numbers.map(|number| (format!("vip/{number}").into(), Bytes::new()));
        Arc::new(entries.collect())
    }

    #[test]
    fn a_pair_is_compared_once_and_forgotten_with_its_sheets() {
        let diffs = Diffs::default();
        let (from, to) = (sheet(0..100), sheet(1..100));
        let first = diffs.change(&from, &to);
        assert_eq!(first.removed.len(), 1);
        assert!(Arc::ptr_eq(&first, &diffs.change(&from, &to)));
        assert!(diffs.change(&to, &from).removed.is_empty(), "the way back is another");
        drop(from);
        diffs.change(&to, &sheet(2..100));
        assert_eq!(diffs.0.lock().unwrap().len(), 1);
        let sheets: Vec<_> = (0..=MOST + 1).map(|number| sheet(number..number + 100)).collect();
        for pair in sheets.windows(2) {
            diffs.change(&pair[0], &pair[1]);
        }
        assert_eq!(diffs.0.lock().unwrap().len(), MOST);
    }
}
