//! Queries on a finished run, and the texts of failed assertions.

use tavrida::contract::{CallError, NoError, Rpc};
use tavrida::message::{ErrorReply, Notification, Request};
use tavrida_testkit::fault::{At, Fault};
use tavrida_testkit::run::{Ack, Reject, Run};
use tavrida_testkit::sim::Sim;

use crate::shop::{Charge, Create, Created, Declined, Placed, Receipt, failure, graph, one_order, passes};

#[test]
fn a_run_is_asked_by_contracts() {
    let run = one_order(500);
    run.sent::<Create>().assert_count(1).assert_all(|new| *new == Create { id: 7, cents: 500 });
    run.handled::<Charge>()
        .assert_count(1)
        .assert_all(|charge| charge.cents == 500)
        .assert_settled(Ack)
        .assert_succeeded();
    run.published::<Placed>().assert_count(1);
    run.heard::<Placed>().assert_count(1).by("audit").assert_count(1);
    assert_eq!(run.answered::<Charge>().value(), Receipt { number: 70 });
    assert_eq!(run.answered::<Create>().values(), [Created { receipt: 70 }]);
    run.assert_none::<ErrorReply>();
    run.assert_no_errors();
    run.assert_no_redeliveries();
    run.assert_no_dead_letters();
    run.assert_all_confirmed();
}

#[test]
fn a_chain_is_asserted_as_it_is_drawn() {
    let run = one_order(500);
    run.only_chain().assert([
        "web -> orders.create",
        "orders -> billing.charge",
        "billing => orders",
        "orders ~> orders.placed",
        "orders => web",
    ]);
}

#[test]
fn errors_and_their_handlers_are_found() {
    let run = one_order(5000);
    let CallError::Declared(declined) = run.refused::<Charge>().value() else { panic!("not as declared") };
    assert_eq!(declined, Declined { limit: 1000 });
    run.all::<ErrorReply>().assert_count(2);
    run.handled::<Charge>().assert_failed("more than 1000");
    run.published::<Placed>().assert_none();
    run.only_chain().assert([
        "web -> orders.create",
        "orders -> billing.charge",
        "billing =! orders",
        "orders =! web",
    ]);
}

#[test]
fn an_answer_in_full_knows_its_chain() {
    passes(async |sim: Sim| {
        let graph = graph(&sim).await;
        let web = graph.client("web");
        let (one, two) = tokio::join!(
            web.ask(Create { id: 1, cents: 1 }).in_full(),
            web.ask(Create { id: 2, cents: 1 }).in_full()
        );
        let (one, two) = (one?, two?);
        assert_eq!((one.receipt, two.receipt), (10, 20));
        let run = graph.settle().await;
        assert_eq!(run.chain(one.chain()).messages().len(), 5);
        run.handled::<Charge>()
            .assert_count(2)
            .in_chain(two.chain())
            .assert_count(1)
            .assert_all(|charge| charge.order == 2);
        run.sent::<Charge>().filter(|charge| charge.order == 1).assert_count(1);
        assert_eq!(run.chains().len(), 2);
        Ok(())
    });
}

#[test]
fn order_context_and_headers_are_asserted() {
    let run = one_order(500);
    run.answered::<Charge>()
        .assert_before(&run.published::<Placed>())
        .assert_before(&run.answered::<Create>());
    let user = "ann".to_owned();
    run.sent::<Charge>().assert_context("user", &user).assert_header("x-trace", "abc");
    run.all::<Notification>().assert_context("user", &user);
    run.all::<Request>().at("orders.create").by("web").assert_count(1);
}

#[test]
fn a_redelivery_is_seen_as_one_message_worked_twice() {
    let finished = passes(async |sim: Sim| {
        let graph = graph(&sim).await;
        sim.fault(At::before_ack("billing.charge"), Fault::Redelivered);
        graph.client("web").ask(Create { id: 7, cents: 1 }).await.map(drop)?;
        graph.settle().await;
        Ok(())
    });
    let run = Run::from(finished.trace);
    run.sent::<Charge>().assert_count(1).assert_settled(Ack);
    run.handled::<Charge>().assert_count(2);
    let text = failure(|| run.assert_no_redeliveries());
    assert!(text.contains("redeliveries: expected none, found 1"), "{text}");
    assert!(text.contains("redelivered #2"), "{text}");
}

#[test]
fn a_failing_count_tells_what_was_found_and_its_chain() {
    let run = one_order(500);
    let text = failure(|| drop(run.handled::<Charge>().assert_count(2)));
    let expected = "\
handlers of the request billing.charge: expected 2, found 1
    0.000 | billing      | handler begins         | request billing.charge         | m2 c1 r2 < m1
in the chain ";
    assert!(text.starts_with(expected), "{text}");
    assert!(
        text.ends_with("    billing => orders\n    orders ~> orders.placed\n    orders => web\n"),
        "{text}"
    );
}

#[test]
fn what_is_asserted_of_each_does_not_hold_of_nothing() {
    struct Never;
    impl serde::Serialize for Never {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_unit()
        }
    }
    impl<'de> serde::Deserialize<'de> for Never {
        fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
            Ok(Self)
        }
    }
    impl Rpc for Never {
        const ENTRY_POINT: &'static str = "orders.never";
        type Reply = ();
        type Error = NoError;
    }
    let run = one_order(500);
    for text in [
        failure(|| drop(run.sent::<Never>().assert_all(|_| true))),
        failure(|| drop(run.handled::<Never>().assert_settled(Ack))),
        failure(|| drop(run.sent::<Never>().assert_before(&run.sent::<Charge>()))),
        failure(|| drop(run.sent::<Charge>().assert_before(&run.sent::<Never>()))),
    ] {
        assert!(text.contains("orders.never: expected"), "{text}");
        assert!(text.contains(", found 0"), "{text}");
    }
}

#[test]
fn what_does_not_hold_of_some_shows_those() {
    let run = one_order(500);
    for (text, expected) in [
        (
            failure(|| drop(run.messages().assert_count(5).assert_settled(Reject))),
            "each settled by Reject, found 5 of 5",
        ),
        (
            failure(|| drop(run.sent::<Charge>().assert_all(|charge| charge.cents == 1))),
            "found 1 of 1 that are not so",
        ),
        (failure(|| drop(run.sent::<Charge>().assert_context("user", &1))), "context key 'user'"),
        (failure(|| drop(run.sent::<Charge>().assert_header("x-trace", "abd"))), "header 'x-trace'"),
        (failure(|| drop(run.handled::<Charge>().assert_failed("no"))), "to fail with 'no'"),
        (failure(|| drop(run.messages().value())), "exactly one, found 5"),
        (failure(|| run.published::<Placed>().assert_none()), "expected none, found 1"),
    ] {
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn a_chain_that_is_otherwise_is_shown_as_a_difference() {
    let run = one_order(5000);
    let text = failure(|| {
        run.only_chain().assert(["web -> orders.create", "orders -> billing.charge", "billing => orders"]);
    });
    let expected = "    web -> orders.create\n    orders -> billing.charge\n  - billing => orders\n  + billing =! orders\n";
    assert!(text.contains(expected), "{text}");
    let text = failure(|| {
        run.chain("no such id").assert(["web -> orders.create"]);
    });
    assert!(text.contains("the chain 'no such id' is not as expected"), "{text}");
    assert!(text.contains("    orders =! web\n"), "what there is: {text}");
}
