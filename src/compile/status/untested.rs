//! DaemonUntested: a node's routing daemon is of a release that no test of the project has run against
//! (spec §2.4). It is used all the same.

use super::share::Share;
use super::verdict::Verdict;
use super::words::{clauses_of, sentence};
use crate::api::condition::{ConditionType, Reason};
use crate::model::capability;
use crate::model::observed::DaemonVersion;

pub fn untested(shares: &[Share<'_>]) -> Verdict {
    let kind = ConditionType::DaemonUntested;
    let strange = shares.iter().filter_map(|share| Some((share, version(share)?)));
    let strange = strange.filter(|(_, version)| !capability::is_tested(version));
    let words = clauses_of(strange, |(share, version)| {
        format!("{} runs {} {}", share.node, version.name, version.version)
    });
    if words.is_empty() {
        return Verdict::new(
            kind,
            false,
            Reason::DaemonTested,
            "No node is known to run an untested release.",
        );
    }
    let message =
        format!("{} NovaEdge is tested with {}.", sentence(&words), capability::tested().join(", "));
    Verdict::new(kind, true, Reason::DaemonUntested, message)
}

fn version<'a>(share: &Share<'a>) -> Option<&'a DaemonVersion> {
    share.report?.routing.daemon.as_ref()
}
