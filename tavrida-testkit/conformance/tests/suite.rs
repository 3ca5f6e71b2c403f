//! The conformance suite itself: it runs to its end whatever the transport does, and reports what it skipped.

use std::collections::BTreeSet;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tavrida::transport::{ConnectionLost, Session, SessionError, Transport};
use tavrida_conformance::{Capability, Report, Suite, Verdict, promises};

/// A transport that cannot connect, in one of several ways.
enum Unusable {
    Unreachable,
    Silent,
    Broken,
}

#[async_trait]
impl Transport for Unusable {
    async fn connect(&self) -> Result<Arc<dyn Session>, SessionError> {
        match self {
            Self::Unreachable => Err(ConnectionLost::broken("nobody listens").into()),
            Self::Silent => pending().await,
            Self::Broken => panic!("a bug in the transport"),
        }
    }

    fn endpoint(&self) -> String {
        String::new()
    }
}

async fn put_through(transport: Unusable) -> Report {
    let suite = Suite::new(Arc::new(transport)).with_breaker(|| async {}).with_alarm(|_| async {});
    suite.dead_letters_anew_within(Duration::from_millis(1)).run().await
}

/// Returns how many promises failed with this text.
fn saying(report: &Report, words: &str) -> usize {
    let says = |verdict: &Verdict| matches!(verdict, Verdict::Broken { seen, .. } if seen.contains(words));
    report.findings().iter().filter(|finding| says(&finding.verdict)).count()
}

#[tokio::test(start_paused = true)]
async fn a_broker_out_of_reach_breaks_every_promise_by_its_own_words() {
    let report = put_through(Unusable::Unreachable).await;
    let of_other_versions = promises().iter().filter(|promise| !promise.holds_for((4, 0))).count();
    assert_eq!((report.kept(), report.skipped()), (0, of_other_versions));
    assert!(saying(&report, "nobody listens") > 200, "{report}");
}

#[tokio::test(start_paused = true)]
async fn a_transport_that_never_answers_is_waited_for_with_patience_only() {
    let started = tokio::time::Instant::now();
    let report = put_through(Unusable::Silent).await;
    assert!(saying(&report, "connecting: still waited for") > 200, "{report}");
    let longest = Duration::from_secs(2 * 10) * u32::try_from(report.promises()).expect("a few hundred");
    assert!(started.elapsed() <= longest, "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_transport_that_panics_does_not_take_the_suite_with_it() {
    let report = put_through(Unusable::Broken).await;
    assert!(saying(&report, "a panic: a bug in the transport") > 200, "{report}");
}

#[tokio::test(start_paused = true)]
async fn what_a_broker_cannot_do_is_skipped_by_name_and_nothing_else_is() {
    let suite = Suite::new(Arc::new(Unusable::Unreachable));
    let report = suite.without(Capability::HeadersExchange).run().await;
    for (promise, finding) in promises().iter().zip(report.findings()) {
        assert_eq!(promise.text(), finding.promise);
        let reason = match &finding.verdict {
            Verdict::Skipped(reason) => Some(reason.as_str()),
            _ => None,
        };
        let expected = if !promise.holds_for((4, 0)) {
            Some("RabbitMQ 4.0 differs")
        } else if promise.capabilities().any(|capability| capability == Capability::HeadersExchange) {
            Some("this broker is without headers exchanges")
        } else {
            let breaker = promise.needs_breaker().then_some("no breaker was given");
            let alarm = promise.needs_alarm().then_some("no alarm was given");
            let rounds = promise.needs_rounds().then_some("when dead letters are sent anew was not told");
            breaker.or(alarm).or(rounds)
        };
        assert_eq!(reason, expected, "{finding}");
    }
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "nobody listens")]
async fn the_report_fails_with_the_list_of_what_was_broken() {
    put_through(Unusable::Unreachable).await.assert_ok();
}

#[tokio::test(start_paused = true)]
async fn one_room_can_be_run_alone() {
    let suite = Suite::new(Arc::new(Unusable::Unreachable)).only("getting");
    let report = suite.run().await;
    assert!(report.findings().iter().all(|finding| finding.room == "getting"), "{report}");
    assert!(report.promises() > 0);
}

#[tokio::test(start_paused = true)]
async fn the_summary_counts_what_was_skipped_by_its_reason() {
    let suite = Suite::new(Arc::new(Unusable::Unreachable)).only("refusals").like((3, 10));
    let report = suite.without(Capability::RabbitWording).run().await;
    let summary = report.summary();
    assert!(
        summary
            .contains("skipped: 2 (RabbitMQ 3.10 differs: 1, this broker is without RabbitMQ's wording: 1)"),
        "{summary}"
    );
}

#[test]
fn each_promise_is_told_once_and_cites_its_source() {
    let mut seen = BTreeSet::new();
    for promise in promises() {
        assert!(seen.insert((promise.room(), promise.text())), "{} is promised twice", promise.text());
        let sources: Vec<&str> = promise.source().split(", ").collect();
        let well_formed = |source: &&str| {
            *source == "contract" || source.starts_with(|first| "RSA".contains(first)) && source.len() <= 7
        };
        assert!(sources.iter().all(well_formed), "the source of '{}': {sources:?}", promise.text());
        assert!(promise.text().len() <= 100, "'{}' does not fit a line", promise.text());
    }
}
