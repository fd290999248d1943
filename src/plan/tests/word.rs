//! By whose word a VIP leaves.

use super::decide::{decisions, leavers};
use super::*;
use crate::model::leaving::Hold;

fn granted(cause: Cause) -> Leaving {
    Leaving::Granted { cause }
}

fn held(cause: Cause) -> Leaving {
    Leaving::Held { cause, by: Hold::BelowMinimum { healthy: 1, minimum: 2 } }
}

#[test]
fn the_leaders_word_counts_while_it_is_heard_and_the_nodes_own_otherwise() {
    let (drain, end) = (Some(Cause::Drain), Some(Cause::Terminating));
    let table = [
        // What the snapshot says, what the node wishes, whether it is led, what is done.
        (None, None, false, None),
        (None, None, true, None),
        (None, drain, true, None),
        (None, drain, false, Some(granted(Cause::Drain))),
        (None, end, false, Some(granted(Cause::Terminating))),
        (Some(held(Cause::Drain)), drain, true, Some(held(Cause::Drain))),
        (Some(held(Cause::Terminating)), end, false, Some(granted(Cause::Terminating))),
        (Some(granted(Cause::Drain)), drain, true, Some(granted(Cause::Drain))),
        (Some(granted(Cause::Cordon)), None, true, Some(granted(Cause::Cordon))),
        // The last leader's word outlives it, unless it only answered a wish that is no more.
        (Some(granted(Cause::Cordon)), None, false, Some(granted(Cause::Cordon))),
        (Some(held(Cause::Cordon)), None, false, Some(held(Cause::Cordon))),
        (Some(granted(Cause::Drain)), None, false, None),
        (Some(granted(Cause::Terminating)), None, false, None),
        // An agent that has ended and was started again is not to leave for its predecessor's wish.
        (Some(granted(Cause::Drain)), None, true, None),
        (Some(granted(Cause::Terminating)), None, true, None),
        (Some(held(Cause::Drain)), None, true, None),
    ];
    for (word, wish, led, done) in table {
        let mut snapshot = snapshot();
        snapshot.leaving.extend(word.clone().map(|word| (name("web"), word)));
        let decided = decisions(&snapshot, wish, led);
        assert_eq!(decided.get(&name("web")), done.as_ref(), "{word:?} {wish:?} led: {led}");
    }
}

#[test]
fn a_word_about_a_vip_that_is_not_there_is_about_nothing() {
    let mut snapshot = snapshot();
    snapshot.leaving.insert(name("gone"), granted(Cause::Cordon));
    assert!(decisions(&snapshot, None, true).is_empty());
    assert_eq!(decisions(&snapshot, Some(Cause::Drain), false).len(), 3);
}

#[test]
fn who_is_granted_leaves_with_all_addresses_and_who_is_held_stays() {
    let snapshot = snapshot();
    let mut facts = all_well(&snapshot);
    facts.leaving = [(name("dual"), granted(Cause::Cordon)), (name("web"), held(Cause::Cordon))].into();
    let leaving: Vec<_> = leavers(&snapshot, &facts).into_keys().collect();
    assert_eq!(leaving, [route("10.200.0.21"), route("2001:db8::21")]);
    let told = desired(&snapshot, &facts).vips;
    assert_eq!(told[&name("web")].reasons[0].name(), "Held");
    assert_eq!(told[&name("dual")].reasons[0].name(), "Leaving");
}
