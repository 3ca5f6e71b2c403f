//! Each law is violated on purpose, and reported. Laws that no graph can violate are checked against traces made by hand: see the unit
//! tests of the laws.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tavrida::field::{ShortString, Value};
use tavrida::transport::{Consume, Publication, Queue, Session, Transport};
use tavrida::{Proxy, Service};
use tavrida_testkit::laws;
use tavrida_testkit::problem::{Problem, ProblemKind};
use tavrida_testkit::sim::{Ended, Finished, Setup, Sim, Verdict};

use crate::crooked::{Twist, crooked_billing};
use crate::shop::{self, Charge, Create, billing, orders};

fn broken(finished: &Finished, law: &str) -> Problem {
    let Verdict::Failed(problem) = &finished.verdict else { panic!("nothing is wrong:\n{}", finished.trace) };
    assert_eq!(problem.kind, ProblemKind::Law(law.to_owned()), "{problem}\n{}", finished.trace);
    Problem::clone(problem)
}

fn breaks<Fut: Future<Output: Ended>>(law: &str, scenario: impl Fn(Sim) -> Fut) -> Problem {
    let problem = broken(&Setup::new(1).run(&scenario), law);
    let waived = Setup::new(1).waive(law).run(&scenario);
    if let Verdict::Failed(other) = waived.verdict {
        assert_ne!(other.kind, ProblemKind::Law(law.to_owned()), "it was waived");
    }
    problem
}

fn name(text: &str) -> ShortString {
    ShortString::try_from(text.to_owned()).expect("a short name")
}

async fn raw(sim: &Sim) -> Arc<dyn Session> {
    sim.transport("stranger").connect().await.expect("a session")
}

/// A message in the library's format, made by hand.
fn message(kind: &str, ids: [&str; 2], from: &str, to: &str) -> Publication {
    let (service, _) = to.split_once('.').expect("an entry point");
    let mut publication = Publication::new(name(service), name(to), r#"{"payload": {}, "context": {}}"#);
    let headers = publication.properties.headers.get_or_insert_default();
    let [request_id, message_id] = ids;
    for (header, value) in [
        ("message_type", kind),
        ("correlation_id", "chain"),
        ("request_id", request_id),
        ("message_id", message_id),
        ("source", from),
        ("destination", to),
        ("reply_to", ""),
    ] {
        headers.insert(name(header), value);
    }
    publication.properties.kind = Some(name(kind));
    publication.properties.message_id = Some(name(message_id));
    publication.properties.delivery_mode = Some(2);
    publication
}

#[test]
fn a_message_that_a_full_queue_drops_is_lost_though_it_was_confirmed() {
    let problem = breaks(laws::SETTLED, async |sim: Sim| {
        let session = raw(&sim).await;
        let short = Queue::durable(name("short")).argument(name("x-max-length"), 1);
        session.admin().declare_queue(&short).await.expect("a queue");
        for body in ["one", "two"] {
            session.publish(Publication::new(name(""), name("short"), body)).await.expect("confirmed");
        }
    });
    assert!(problem.text.contains(r#"it was in ["short"]"#), "{problem}");
}

#[test]
fn a_message_that_is_given_back_again_and_again_is_a_hot_loop() {
    let problem = breaks(laws::HOT_LOOP, async |sim: Sim| {
        let session = raw(&sim).await;
        session.admin().declare_queue(&Queue::durable(name("round"))).await.expect("a queue");
        session.publish(Publication::new(name(""), name("round"), "and round")).await.expect("confirmed");
        let mut consumer = session.consume(&Consume::new(name("round"), 1)).await.expect("a consumer");
        for _ in 0..10 {
            consumer.next().await.expect("a delivery").requeue().expect("the session lives");
        }
        consumer.next().await.expect("a delivery").ack().expect("the session lives");
    });
    assert!(
        problem.text.starts_with("stranger gave the message round of stranger back 10 times"),
        "{problem}"
    );
}

#[test]
fn a_loop_that_would_never_end_is_ended() {
    let finished = Setup::new(1).run(async |sim: Sim| {
        let session = raw(&sim).await;
        session.admin().declare_queue(&Queue::durable(name("round"))).await.expect("a queue");
        session.publish(Publication::new(name(""), name("round"), "and round")).await.expect("confirmed");
        let mut consumer = session.consume(&Consume::new(name("round"), 1)).await.expect("a consumer");
        while let Ok(delivery) = consumer.next().await {
            delivery.requeue().expect("the session lives");
        }
    });
    assert!(broken(&finished, laws::HOT_LOOP).text.contains("at one moment"));
}

/// `web` asks `billing`, whose transport is crooked.
async fn ask_crooked(sim: Sim, twist: Twist) {
    let registry = tavrida::discovery::Registry::new().remote_service("billing", "billing_exchange");
    let graph = sim.graph().server("billing", crooked_billing(twist)).start().await;
    let web = tavrida::Client::builder(sim.transport("web")).source("web").discovery(registry);
    let web = web.ids(sim.ids("web")).clock(sim.clock()).build().await.expect("a client");
    let asked = web.request(Charge { order: 1, cents: 1 }).context(&serde_json::json!({"user": "ann"}));
    drop(asked.ask().timeout(Duration::from_secs(1)).await);
    graph.settle().await;
    web.close().await;
}

#[test]
fn a_call_whose_answer_is_swallowed_has_none() {
    let problem = breaks(laws::ONE_ANSWER, |sim| ask_crooked(sim, |_| None));
    assert!(
        problem.text.contains("billing.charge of web was worked to its end, and got neither"),
        "{problem}"
    );
    assert!(problem.chain.is_some());
}

#[test]
fn a_second_answer_is_one_too_many_and_a_cast_gets_none() {
    breaks(laws::ONE_ANSWER, async |sim: Sim| {
        let graph = shop::graph(&sim).await;
        graph.client("web").ask(Create { id: 1, cents: 1 }).await.expect("an answer");
        let run = graph.settle().await;
        let mut again =
            Publication::clone(run.answered::<Create>().messages().next().expect("it").publication());
        again.properties.message_id = Some(name("another"));
        raw(&sim).await.publish(again).await.expect("confirmed");
        graph.settle().await;
    });
    breaks(laws::ONE_ANSWER, async |sim: Sim| {
        let graph = sim.graph().service(desk).service(orders).client("web").start().await;
        let session = raw(&sim).await;
        session.publish(message("request", ["r", "m-1"], "desk.main", "desk.main")).await.expect("confirmed");
        session
            .publish(message("response", ["r", "m-2"], "desk.main", "desk.main"))
            .await
            .expect("confirmed");
        graph.settle().await;
    });
}

/// Takes requests, and its own responses.
fn desk() -> Service {
    async fn quiet() {}
    Service::new("desk").rpc("main", quiet).on_response("desk.main", quiet)
}

#[test]
fn an_answer_to_nothing_has_no_request() {
    let problem = breaks(laws::PAIRS, async |sim: Sim| {
        let graph = sim.graph().service(desk).start().await;
        let answer = message("response", ["no-such-request", "m-1"], "desk.main", "desk.main");
        raw(&sim).await.publish(answer).await.expect("confirmed");
        graph.settle().await;
    });
    assert!(problem.text.contains("response from desk.main of stranger answers no request"), "{problem}");
}

#[test]
fn an_answer_in_another_chain_is_no_answer_to_its_request() {
    breaks(laws::PAIRS, async |sim| {
        ask_crooked(sim, |mut answer| {
            let headers = answer.properties.headers.get_or_insert_default();
            headers.insert(name("correlation_id"), "another");
            Some(answer)
        })
        .await;
    });
}

#[test]
fn a_request_that_nobody_takes_is_unroutable_unless_its_service_starts_late() {
    let problem = breaks(laws::ROUTABLE, async |sim: Sim| {
        let _graph = sim.graph().service(desk).start().await;
        let mut request = message("request", ["r", "m-1"], "web", "desk.main");
        request.routing_key = name("nobody.there");
        raw(&sim).await.publish(request).await.expect_err("unroutable");
    });
    assert!(problem.text.contains("request desk.main of stranger was unroutable"), "{problem}");
    let late = Setup::new(1).run(async |sim: Sim| {
        let graph = sim.graph().service(desk).service(billing).late("billing", Duration::from_secs(5));
        let graph = graph.client("web").start().await;
        graph
            .client("web")
            .request(Charge { order: 1, cents: 1 })
            .cast()
            .await
            .expect_err("nobody is there yet");
    });
    assert_eq!(late.verdict, Verdict::Passed, "{}", late.trace);
}

#[test]
fn an_ask_that_is_forgotten_has_not_ended() {
    /// Asks, and does not wait for the answer.
    fn forgetful() -> Service {
        async fn main(proxy: Proxy) {
            tokio::spawn(async move { proxy.ask(Charge { order: 1, cents: 1 }).await });
        }
        let registry = tavrida::discovery::Registry::new().remote_service("billing", "billing_exchange");
        Service::new("forgetful").rpc("main", main).discovery(registry)
    }
    let finished = Setup::new(1).waive(laws::ONE_ANSWER).run(async |sim: Sim| {
        let graph = sim.graph().service(forgetful).server("billing", crooked_billing(|_| None)).client("web");
        let graph = graph.start().await;
        graph.client("web").to("forgetful.main").ask().await.map(drop)
    });
    let problem = broken(&finished, laws::ASKS_END);
    assert!(problem.text.contains("request billing.charge of forgetful has no answer"), "{problem}");
}

#[test]
fn what_is_sent_without_the_chains_id_is_out_of_it() {
    let finished = Setup::new(1).waive(laws::ONE_ANSWER).run(async |sim| {
        ask_crooked(sim, |mut answer| {
            let headers = answer.properties.headers.get_or_insert_default();
            headers.insert(name("correlation_id"), Value::Void);
            // It no longer answers anything.
            headers.insert(name("request_id"), "");
            Some(answer)
        })
        .await;
    });
    let problem = broken(&finished, laws::CORRELATION);
    assert!(
        problem.text.contains("response from billing.charge of billing has the correlation id"),
        "{problem}"
    );
}

#[test]
fn an_answer_without_the_requests_context_has_lost_it() {
    let problem = breaks(laws::CONTEXT, async |sim| {
        ask_crooked(sim, |mut answer| {
            answer.body = r#"{"payload": {"number": 1}, "context": {"other": 1}}"#.into();
            Some(answer)
        })
        .await;
    });
    assert!(problem.text.contains("the context key '"), "{problem}");
}

/// Records an effect for each payment; with `book`, only for the first payment of an order.
fn till(sim: &Sim, book: bool) -> impl Fn() -> Service + Send + Sync + 'static {
    let sim = sim.clone();
    move || {
        let (sim, booked) = (sim.clone(), Arc::new(AtomicU64::new(0)));
        Service::new("billing").handle(move |charge: Charge| {
            if !book || booked.swap(charge.order, Ordering::Relaxed) != charge.order {
                sim.effect("charged", charge.cents);
            }
            async { Ok::<_, shop::Declined>(shop::Receipt { number: 1 }) }
        })
    }
}

fn twice(book: bool) -> Finished {
    Setup::new(1).delivering_twice().run(async |sim: Sim| {
        let graph = sim.graph().service(orders).service(till(&sim, book)).client("web").start().await;
        graph.client("web").ask(Create { id: 7, cents: 5 }).await.expect("an answer");
        let run = graph.settle().await;
        run.handled::<Charge>().assert_at_least(2);
    })
}

#[test]
fn a_handler_that_charges_twice_is_not_idempotent() {
    let problem = broken(&twice(false), laws::IDEMPOTENT);
    let expected = "the handler of billing.charge at billing worked a message a second time, and had an effect again: charged = 5";
    assert_eq!(problem.text, expected);
    let finished = twice(true);
    assert_eq!(finished.verdict, Verdict::Passed, "{}", finished.trace);
}

#[test]
fn a_handler_that_sends_something_else_the_second_time_is_not_idempotent() {
    fn counting() -> Service {
        let count = AtomicU64::new(0);
        Service::new("billing").handle(move |_: Charge| {
            let number = count.fetch_add(1, Ordering::Relaxed);
            async move { Ok::<_, shop::Declined>(shop::Receipt { number }) }
        })
    }
    let finished = Setup::new(1).delivering_twice().run(async |sim: Sim| {
        let graph = sim.graph().service(counting).client("web").start().await;
        graph.client("web").ask(Charge { order: 7, cents: 5 }).await.expect("an answer");
    });
    let problem = broken(&finished, laws::IDEMPOTENT);
    assert!(problem.text.contains(r#"sent response from billing.charge"#), "{problem}");
    assert!(
        problem.text.contains(r#"{"number":1}"#) && problem.text.contains(r#"{"number":0}"#),
        "{problem}"
    );
}

#[test]
fn a_law_of_the_tests_own_breaks_by_a_panic_or_an_error() {
    let run = |law: fn(&tavrida_testkit::run::Run) -> Result<(), String>| {
        Setup::new(1).run(async |sim: Sim| {
            sim.law("orders are billed once", law);
            let graph = shop::graph(&sim).await;
            graph.client("web").ask(Create { id: 7, cents: 5 }).await.map(drop)
        })
    };
    let fine = run(|run| {
        run.handled::<Charge>().assert_count(1);
        Ok(())
    });
    assert_eq!(fine.verdict, Verdict::Passed);
    let panicked = run(|run| {
        run.handled::<Charge>().assert_count(2);
        Ok(())
    });
    let problem = broken(&panicked, "orders are billed once");
    assert!(problem.text.contains("expected 2, found 1"), "{problem}");
    let wrong = run(|_| Err("not so".to_owned()));
    assert!(broken(&wrong, "orders are billed once").text.contains("not so"));
}

#[test]
fn an_unknown_law_cannot_be_waived() {
    let finished = Setup::new(1).run(async |sim: Sim| {
        sim.waive("gravity");
    });
    let Verdict::Failed(problem) = finished.verdict else { panic!("gravity was waived") };
    assert!(problem.text.starts_with("no law is named 'gravity'; the laws are:"), "{problem}");
    assert!(problem.text.contains(laws::ROUTABLE), "{problem}");
    let text = shop::failure(|| drop(Setup::new(1).waive("gravity")));
    assert!(text.starts_with("no law is named 'gravity'"), "{text}");
}

#[test]
fn marks_say_whether_something_was_ever_so() {
    let finished = Setup::new(1).run(async |sim: Sim| {
        for n in 0..3 {
            sim.sometimes("two", n == 2);
            sim.sometimes("seven", n == 7);
        }
    });
    let marks: Vec<(&str, bool)> =
        finished.trace.marks().iter().map(|(name, reached)| (name.as_str(), *reached)).collect();
    assert_eq!(marks, [("seven", false), ("two", true)]);
}
