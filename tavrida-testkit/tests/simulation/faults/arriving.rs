//! Faults while a message is in transit to its handler.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tavrida::field::ShortString;
use tavrida::time::Clock;
use tavrida::transport::{Consume, Properties, Publication, Queue, Transport};
use tavrida::{Server, Service};
use tavrida_testkit::fault::{At, Fault};
use tavrida_testkit::sim::{Finished, SimTransport};
use tokio::time::Instant;

use super::{create, effects, passes, shop, text, told, well};

/// The till gets a cast with a fault at its arrival; then the graph works again.
fn one_cast(fault: Fault) -> (Vec<String>, Finished) {
    let finished = passes(async |sim| {
        let graph = shop(&sim).start().await;
        sim.fault(At::delivery("till.charge"), fault);
        graph.client("web").to("till.charge").param("cents", 5).cast().await?;
        well(&graph).await
    });
    (effects(&finished.trace, "charge"), finished)
}

#[test]
fn a_session_that_breaks_brings_the_message_again_marked() {
    let (charged, finished) = one_cast(Fault::ConnectionLost);
    assert_eq!(charged, ["5 again, 1 since the start", "777, 2 since the start"]);
    assert_eq!(
        told(&finished.trace, "till", "disconnected: the connection is lost: the connection broke").len(),
        1
    );
    assert_eq!(told(&finished.trace, "till", "connected").len(), 3, "twice connected, once disconnected");
}

#[test]
fn a_session_breaks_at_each_of_its_sites() {
    for at in [At::start, At::in_handler, At::before_ack] {
        let at = at("till.charge");
        let finished = passes(async |sim| {
            let graph = shop(&sim).start().await;
            sim.fault(at.clone(), Fault::ConnectionLost);
            graph.client("web").to("till.charge").param("cents", 5).cast().await?;
            well(&graph).await
        });
        let charged = effects(&finished.trace, "charge");
        let again = "5 again, 2 since the start";
        assert_eq!(charged, ["5, 1 since the start", again, "777, 3 since the start"], "{at}");
        assert_eq!(told(&finished.trace, "till", "disconnected").len(), 1, "{at}");
    }
}

#[test]
fn a_channel_that_the_broker_closes_brings_the_message_again_on_the_same_session() {
    let (charged, finished) = one_cast(Fault::ChannelClosed);
    assert_eq!(charged, ["5 again, 1 since the start", "777, 2 since the start"]);
    assert!(told(&finished.trace, "till", "disconnected").is_empty());
}

#[test]
fn a_consumer_that_the_broker_cancels_is_there_again() {
    let (charged, finished) = one_cast(Fault::ConsumerCancelled);
    assert_eq!(charged.len(), 2, "{}", text(&finished.trace));
    assert!(told(&finished.trace, "till", "disconnected").is_empty());
}

#[test]
fn nothing_is_settled_before_a_consumer_is_back() {
    for fault in [Fault::ChannelClosed, Fault::ConsumerCancelled] {
        let finished = passes(async |sim| {
            let graph = shop(&sim).start().await;
            sim.fault(At::delivery("till.charge"), fault);
            for cents in [1, 2] {
                graph.client("web").to("till.charge").param("cents", cents).cast().await?;
                graph.settle().await;
                graph.client("web").to("till.charge").param("cents", cents).cast().await?;
            }
            graph.settle().await;
            Ok(())
        });
        assert_eq!(effects(&finished.trace, "charge").len(), 4, "{fault}\n{}", text(&finished.trace));
        let acked = told(&finished.trace, "till", "acked");
        assert_eq!(acked.len(), 4, "{fault}");
    }
}

#[test]
fn a_delayed_message_arrives_after_those_that_were_sent_later() {
    let finished = passes(async |sim| {
        let note = |sim: &tavrida_testkit::sim::Sim, name: &'static str| {
            let sim = sim.clone();
            move || {
                let sim = sim.clone();
                Service::new(name).rpc("note", move || {
                    let sim = sim.clone();
                    async move { sim.effect("note", name) }
                })
            }
        };
        let graph =
            sim.graph().service(note(&sim, "one")).service(note(&sim, "two")).client("web").start().await;
        sim.fault(At::delivery("one.note"), Fault::Delayed(Duration::from_millis(300)));
        sim.fault(At::delivery("one.note").nth(3), Fault::Overtaken(1));
        for _ in 0..2 {
            graph.client("web").to("one.note").cast().await?;
            graph.client("web").to("two.note").cast().await?;
            graph.settle().await;
        }
        Ok(())
    });
    assert_eq!(effects(&finished.trace, "note"), ["two", "one", "two", "one"], "{}", text(&finished.trace));
    let ones = told(&finished.trace, "one", "handler begins");
    assert_eq!(ones[0].at, Duration::from_millis(300));
    assert_eq!(ones[1].at, Duration::from_millis(300), "being overtaken takes no time");
    assert_eq!(ones[0].delivery, 1, "held up is not delivered");
}

#[test]
fn the_wall_clock_jumps_alone() {
    let finished = passes(async |sim| {
        let graph = shop(&sim).start().await;
        sim.fault(At::delivery("till.charge"), Fault::ClockJump(-3600));
        let (wall, time) = (sim.clock().now(), Instant::now());
        assert_eq!(create(&graph, 5).await?, 1);
        assert_eq!(time.elapsed(), Duration::from_millis(10), "the till needs 10 ms, and nobody more");
        let back = wall.duration_since(sim.clock().now()).expect("the wall clock went back");
        assert_eq!(back, Duration::from_secs(3600) - Duration::from_millis(10));
        well(&graph).await
    });
    assert_eq!(told(&finished.trace, "till", "FAULT: clock-jump(-3600s) at deliver").len(), 1);
}

/// A cell for a transport of the run, as a server's factory gets it.
fn tap() -> (Arc<Mutex<Option<SimTransport>>>, impl Fn(SimTransport) -> tavrida::server::ServerBuilder) {
    let tapped: Arc<Mutex<Option<SimTransport>>> = Arc::default();
    let keep = tapped.clone();
    let make = move |transport: SimTransport| {
        *keep.lock().expect("nobody panicked with it") = Some(transport.clone());
        let service = Service::new("other").rpc("ping", async || {});
        Server::builder(transport).queue("other").exchange("other").service(service)
    };
    (tapped, make)
}

const BOX: ShortString = ShortString::from_static("box");

/// A message with this body for the box.
fn letter(body: &'static str, mode: u8) -> Publication {
    let properties = Properties { delivery_mode: Some(mode), ..Properties::default() };
    Publication { properties, ..Publication::new(ShortString::default(), BOX, body) }
}

#[test]
fn a_restart_of_the_broker_loses_what_is_transient_and_keeps_what_is_persistent() {
    for (fault, marked) in [(Fault::BrokerRestart, false), (Fault::BrokerKilled, true)] {
        let finished = passes(async |sim| {
            let (tapped, make) = tap();
            let graph = shop(&sim).server("other", make).start().await;
            let transport = tapped.lock().expect("nobody panicked with it").clone();
            let transport = transport.expect("the server was made");
            let session = transport.connect().await.expect("a session");
            session.admin().declare_queue(&Queue::durable(BOX)).await.expect("declared");
            for letter in [letter("transient", Properties::TRANSIENT), letter("kept", Properties::PERSISTENT)]
            {
                session.publish(letter).await.expect("routed");
            }
            sim.fault(At::delivery("till.charge"), fault);
            assert!(create(&graph, 5).await.is_err(), "the reply queues are gone");
            graph.settle().await;
            let session = transport.connect().await.expect("a session");
            let letter = session.get("box").await.expect("the queue is there").expect("with a letter");
            assert_eq!(&letter.delivery.body()[..], b"kept");
            assert_eq!(letter.delivery.redelivered(), marked, "{fault}");
            assert_eq!(letter.messages_left, 0);
            letter.delivery.ack().expect("the session lives");
            session.close().await.expect("it can be closed");
            well(&graph).await
        });
        for actor in ["till", "orders", "web", "other"] {
            assert!(!told(&finished.trace, actor, "disconnected").is_empty(), "{actor} after {fault}");
        }
    }
}

#[test]
fn a_request_whose_time_is_over_is_never_worked() {
    let finished = passes(async |sim| {
        let graph = shop(&sim).start().await;
        sim.fault(At::delivery("till.charge"), Fault::Expired);
        let ask = graph.client("web").to("till.charge").param("cents", 5).ask();
        let unanswered = ask.timeout(Duration::from_secs(3)).await.expect_err("nobody answers");
        assert!(unanswered.is_timeout(), "{unanswered}");
        well(&graph).await
    });
    assert_eq!(effects(&finished.trace, "charge"), ["777, 1 since the start"]);
}

#[test]
fn a_full_queue_drops_what_is_oldest() {
    passes(async |sim| {
        let (tapped, make) = tap();
        let graph = shop(&sim).server("other", make).start().await;
        let transport = tapped.lock().expect("nobody panicked with it").clone().expect("the server was made");
        let session = transport.connect().await.expect("a session");
        let bounded = Queue::durable(BOX).argument(ShortString::from_static("x-max-length"), 10);
        session.admin().declare_queue(&bounded).await.expect("declared");
        sim.fault(At::delivery("box"), Fault::Overflow);
        for body in ["one", "two"] {
            session.publish(letter(body, Properties::PERSISTENT)).await.expect("routed");
        }
        let mut consumer = session.consume(&Consume::new(BOX, 5)).await.expect("a consumer");
        let delivery = consumer.next().await.expect("a delivery");
        assert_eq!(&delivery.body()[..], b"two", "the first was dropped, though it was confirmed");
        delivery.ack().expect("the session lives");
        drop(consumer);
        session.close().await.expect("it can be closed");
        well(&graph).await
    });
}
