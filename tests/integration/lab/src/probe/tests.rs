//! The report's arithmetic and attributions, by tables.

use super::{Outcome, Report, Sample};
use crate::topology::NodeId;
use std::time::{Duration, Instant};

fn good(backend: &str) -> Outcome {
    Outcome::Answered { status: 200, backend: Some(backend.to_owned()) }
}

fn sample(sent_ms: u64, took_ms: u64, flow: Option<u8>, outcome: Outcome) -> Sample {
    Sample {
        sent: Duration::from_millis(sent_ms),
        took: Duration::from_millis(took_ms),
        port: 40000,
        flow: flow.map(NodeId),
        carried_before: 0,
        outcome,
    }
}

fn report(samples: Vec<Sample>) -> Report {
    Report { started: Instant::now(), samples, starved: 0 }
}

fn a_bit_of_everything() -> Report {
    report(vec![
        sample(0, 1, Some(1), good("n2/a")),
        sample(1, 2, Some(2), good("n2/b")),
        sample(2, 3000, Some(2), Outcome::Lost),
        sample(3, 1, Some(1), Outcome::Reset),
        sample(4, 1, None, Outcome::Refused),
        sample(5, 1100, Some(3), good("n1/a")),
        sample(6, 1, Some(3), Outcome::Answered { status: 503, backend: None }),
        sample(9, 3, Some(3), good("n1/a")),
    ])
}

#[test]
fn every_sample_is_counted_once() {
    let report = a_bit_of_everything();
    assert_eq!((report.sent(), report.answered(), report.failed()), (8, 4, 4));
    assert_eq!((report.lost(), report.reset(), report.count("refused")), (1, 1, 1));
    assert_eq!(report.count("error status"), 1, "a 503 is an answer, and a failure");
    assert_eq!(report.late(), 1, "late is answered all the same");
}

#[test]
fn a_failure_belongs_to_the_node_that_accepted_the_connection() {
    let report = a_bit_of_everything();
    let sent = |samples: Vec<&Sample>| samples.iter().map(|s| s.sent.as_millis()).collect::<Vec<_>>();
    assert_eq!(sent(report.failures_of(NodeId(2))), [2]);
    assert_eq!(sent(report.failures_elsewhere(NodeId(2))), [3, 6]);
    assert_eq!(sent(report.failures_of_nobody()), [4]);
}

#[test]
fn answers_count_for_the_accepting_node_and_for_the_backend_apart() {
    let report = a_bit_of_everything();
    assert_eq!(report.per_node(), [(NodeId(1), 1), (NodeId(2), 1), (NodeId(3), 2)].into());
    let backends = [("n1/a", 2), ("n2/a", 1), ("n2/b", 1)];
    assert_eq!(report.per_backend(), backends.map(|(name, n)| (name.to_owned(), n)).into());
    let datagram = sample(0, 1, None, good("n2/vip"));
    assert_eq!(datagram.node(), Some(NodeId(2)), "a datagram has no connection, only who answered it");
}

#[test]
fn the_window_goes_from_the_first_hurt_request_to_the_last() {
    let report = a_bit_of_everything();
    let window = report.disturbance().unwrap();
    assert_eq!(window.first - report.started, Duration::from_millis(2));
    assert_eq!(window.length(), Duration::from_millis(4), "from the lost one to the 503");
    let calm = report.only(|sample| !sample.failed() && !sample.late());
    assert_eq!(calm.disturbance(), None);
    let once = report.only(|sample| sample.outcome == Outcome::Lost);
    assert_eq!(once.disturbance().unwrap().length(), Duration::ZERO);
}

#[test]
fn a_part_of_the_time_is_a_report_too() {
    let report = a_bit_of_everything();
    let cut = report.started + Duration::from_millis(3);
    assert_eq!((report.before(cut).sent(), report.since(cut).sent()), (3, 5));
    assert_eq!(report.since(cut).lost(), 0);
}

#[test]
fn shares_of_answer_times() {
    let times = (1..=100).map(|ms| sample(ms, ms, Some(1), good("n1/a"))).collect();
    let report = report(times);
    for (share, ms) in [(0.0, 1), (0.5, 50), (0.99, 99), (1.0, 100)] {
        assert_eq!(report.latency(share), Some(Duration::from_millis(ms)), "{share}");
    }
    assert_eq!(super::Report { samples: vec![], ..report }.latency(0.5), None);
}

#[test]
fn the_summary_says_what_went_wrong() {
    let text = a_bit_of_everything().to_string();
    assert!(
        text.starts_with("sent 8, answered 4, late 1, error status 1, lost 1, refused 1, reset 1\n"),
        "{text}"
    );
    assert!(text.contains("\nby node: n1 1, n2 1, n3 2\n"), "{text}");
}
