//! Whom an agent obeys, of several controllers (spec §2.8).

use super::Told;
use super::roll::Heard;
use crate::model::snapshot::Snapshot;
use crate::model::status::Rejected;
use crate::model::term::Term;
use futures_util::future::select_all;
use std::sync::Arc;
use tokio::sync::watch;

/// What is obeyed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Obeyed {
    /// The highest that was ever heard.
    pub term: Option<Term>,
    /// Its controller is connected, and still says that it leads.
    pub is_led: bool,
    /// What it ordered, or what the agent had before. The same `Arc` for as long as the content is.
    pub snapshot: Option<Arc<Snapshot>>,
    /// What of it this version cannot use.
    pub rejected: Vec<Rejected>,
}

impl Obeyed {
    /// Before the first word.
    pub fn nothing_yet(last_good: Option<Arc<Snapshot>>) -> Self {
        Self { snapshot: last_good, ..Self::default() }
    }

    /// What is obeyed once the controllers have said this. Lower terms than the highest ever heard are
    /// ignored, also when nobody says the highest any more.
    #[must_use]
    pub fn after(self, told: &[Told]) -> Self {
        // The first, of two that claim one term, which elections rule out.
        let leader = told.iter().rev().filter(|told| told.term.is_some()).max_by_key(|told| told.term);
        let Some(leader) = leader.filter(|leader| leader.term >= self.term) else {
            return Self { is_led: false, ..self };
        };
        let Told { connected, term, generation: _, snapshot, rejected } = leader.clone();
        let same = match (&self.snapshot, &snapshot) {
            (Some(before), Some(now)) => Arc::ptr_eq(before, now) || before.same_content(now),
            (_, None) => true,
            (None, Some(_)) => false,
        };
        Self { term, is_led: connected, snapshot: if same { self.snapshot } else { snapshot }, rejected }
    }
}

/// Obeys whatever the controllers say, for as long as it is polled. `obeyed` begins with
/// [`Obeyed::nothing_yet`], and changes when something in it does.
pub async fn obey(mut heard: watch::Receiver<Heard>, obeyed: watch::Sender<Obeyed>) {
    let mut told = heard.borrow_and_update().clone();
    loop {
        let now: Vec<Told> = told.iter_mut().map(|told| told.borrow_and_update().clone()).collect();
        obeyed.send_if_modified(|obeyed| {
            let before = obeyed.clone();
            *obeyed = before.clone().after(&now);
            *obeyed != before
        });
        // Whoever ended says nothing new; while nobody is left, nothing happens.
        told.retain(|told| told.has_changed().is_ok());
        let anything = async {
            if told.is_empty() {
                return std::future::pending().await;
            }
            let _ = select_all(told.iter_mut().map(|told| Box::pin(told.changed()))).await;
        };
        tokio::select! {
            () = anything => {}
            Ok(()) = heard.changed() => told.clone_from(&heard.borrow_and_update()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::name::Name;

    fn term(transitions: u64) -> Option<Term> {
        Some(Term { created: 1, transitions })
    }

    fn snapshot(node: &str, generation: u64) -> Option<Arc<Snapshot>> {
        Some(Arc::new(Snapshot { generation, ..Snapshot::empty(Name::parse(node).unwrap()) }))
    }

    fn told(transitions: u64, node: &str) -> Told {
        Told {
            connected: true,
            term: term(transitions),
            generation: 1,
            snapshot: snapshot(node, 1),
            rejected: vec![],
        }
    }

    /// The node's name stands for the content.
    fn opinion(obeyed: &Obeyed) -> Option<&str> {
        obeyed.snapshot.as_ref().map(|snapshot| snapshot.node.as_str())
    }

    #[test]
    fn the_highest_term_wins_and_a_lower_one_is_ignored_for_ever() {
        let obeyed = Obeyed::nothing_yet(snapshot("disk", 9)).after(&[Told::default(), Told::default()]);
        assert_eq!((opinion(&obeyed), obeyed.is_led), (Some("disk"), false));
        let obeyed = obeyed.after(&[told(3, "a"), told(4, "b")]);
        assert_eq!((opinion(&obeyed), obeyed.is_led), (Some("b"), true));
        let gone = Told { connected: false, ..told(4, "b") };
        let obeyed = obeyed.after(&[told(3, "c"), gone]);
        assert_eq!((opinion(&obeyed), obeyed.is_led), (Some("b"), false));
        let resigned = Told { term: None, ..told(4, "b") };
        let obeyed = obeyed.after(&[told(3, "c"), resigned]);
        assert_eq!((opinion(&obeyed), obeyed.term, obeyed.is_led), (Some("b"), term(4), false));
        let obeyed = obeyed.after(&[told(5, "c"), told(4, "b")]);
        assert_eq!((opinion(&obeyed), obeyed.term, obeyed.is_led), (Some("c"), term(5), true));
    }

    #[test]
    fn equal_content_of_a_new_term_is_the_same_snapshot() {
        let first = Obeyed::default().after(&[told(1, "a")]);
        let second = first.clone().after(&[Told { snapshot: snapshot("a", 77), ..told(2, "a") }]);
        assert_eq!(second.term, term(2));
        assert!(Arc::ptr_eq(&first.snapshot.unwrap(), &second.snapshot.unwrap()));
    }

    #[tokio::test]
    async fn nothing_new_is_no_news() {
        let (say, heard) = watch::channel(told(1, "a"));
        let (obeyed, mut newest) = watch::channel(Obeyed::default());
        let (_replicas, heard) = watch::channel(vec![heard]);
        let obeying = tokio::spawn(obey(heard, obeyed));
        newest.wait_for(|obeyed| obeyed.is_led).await.unwrap();
        say.send_modify(|told| told.generation = 2);
        say.send_modify(|told| told.term = term(2));
        newest.wait_for(|obeyed| obeyed.term == term(2)).await.unwrap();
        assert!(!newest.has_changed().unwrap());
        obeying.abort();
    }
}
