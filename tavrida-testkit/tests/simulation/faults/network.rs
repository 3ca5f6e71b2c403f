//! Actors that are cut off for a while, in both directions or one, or that start late.

use std::time::Duration;

use tavrida_testkit::fault::{At, Fault};
use tavrida_testkit::sim::Finished;
use tavrida_testkit::trace::{Outcome, What};
use tokio::time::Instant;

use super::{create, effects, passes, shop, text, told, well};

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn who_is_cut_off_loses_its_session_and_comes_back() {
    let finished = passes(async |sim| {
        let graph = shop(&sim).start().await;
        sim.fault(At::delivery("till.charge"), Fault::Partition(MINUTE));
        graph.client("web").to("till.charge").param("cents", 5).cast().await?;
        well(&graph).await
    });
    assert_eq!(effects(&finished.trace, "charge"), ["5 again, 1 since the start", "777, 2 since the start"]);
    let lost = told(&finished.trace, "till", "disconnected: the connection is lost: no heartbeat came");
    assert_eq!(lost.iter().map(|event| event.at).collect::<Vec<_>>(), [MINUTE]);
}

#[test]
fn what_is_sent_while_cut_off_is_ambiguous() {
    let finished = passes(async |sim| {
        let graph = shop(&sim).start().await;
        sim.fault(At::start("orders.create"), Fault::Slow(Duration::from_secs(1)));
        let web = graph.client("web").clone();
        let ask = tokio::spawn(async move {
            web.to("orders.create").param("cents", 5).ask().timeout(Duration::from_secs(600)).await
        });
        sim.advance(Duration::from_millis(500)).await;
        graph.partition("orders", Duration::from_secs(2));
        let answer = ask.await.expect("no panic").expect("the second time it works");
        assert_eq!(answer.payload().get::<u32>("count")?, 1, "the till never got the first");
        well(&graph).await
    });
    assert_eq!(told(&finished.trace, "orders", &Outcome::Held.to_string()).len(), 1);
    assert_eq!(told(&finished.trace, "orders", "redelivered").len(), 1, "{}", text(&finished.trace));
}

#[test]
fn the_deaf_hear_nothing_and_are_heard() {
    let finished = passes(async |sim| {
        let graph = shop(&sim).start().await;
        sim.fault(At::delivery("orders.create"), Fault::Deaf(MINUTE));
        let web = graph.client("web").clone();
        let began = Instant::now();
        let ask = web.to("orders.create").param("cents", 5).ask().timeout(Duration::from_secs(90));
        assert_eq!(ask.await?.payload().get::<u32>("count")?, 1);
        assert!(began.elapsed() >= MINUTE, "the request arrived only then");
        well(&graph).await
    });
    assert!(told(&finished.trace, "orders", "disconnected").is_empty(), "its session lives");
    assert!(told(&finished.trace, "orders", "redelivered").is_empty());
}

#[test]
fn what_the_deaf_send_gets_through_and_its_confirm_comes_late() {
    let finished = passes(async |sim| {
        let graph = shop(&sim).start().await;
        sim.fault(At::start("orders.create"), Fault::Slow(Duration::from_secs(1)));
        sim.fault(At::delivery("orders.create").nth(2), Fault::Deaf(MINUTE));
        for cents in [1, 2] {
            graph.client("web").to("orders.create").param("cents", cents).cast().await?;
        }
        well(&graph).await
    });
    let sent = told(&finished.trace, "orders", &Outcome::Unconfirmed.to_string());
    assert_eq!(sent[0].at, Duration::from_secs(1), "{}", text(&finished.trace));
    let heard = told(&finished.trace, "till", "delivered")[0];
    assert_eq!(heard.at, Duration::from_secs(1), "the till hears it at once");
    let timed_out = told(&finished.trace, "orders", "handler failed");
    assert_eq!(timed_out[0].at, Duration::from_secs(6), "the answer is not heard within the ask's 5 s");
}

#[test]
fn the_mute_hear_and_what_they_send_comes_late() {
    let finished = passes(async |sim| {
        let graph = shop(&sim).start().await;
        sim.fault(At::delivery("orders.create"), Fault::Mute(Duration::from_secs(3)));
        let web = graph.client("web").clone();
        let ask = web.to("orders.create").param("cents", 5).ask();
        assert_eq!(ask.await?.payload().get::<u32>("count")?, 1);
        well(&graph).await
    });
    let began = told(&finished.trace, "orders", "handler begins")[0];
    let asked = told(&finished.trace, "till", "handler begins")[0];
    assert_eq!((began.at, asked.at), (Duration::ZERO, Duration::from_secs(3)));
    assert!(told(&finished.trace, "orders", "disconnected").is_empty(), "its session lives");
}

#[test]
fn the_acks_of_the_mute_count_when_they_come() {
    let finished = passes(async |sim| {
        let graph = shop(&sim).start().await;
        sim.fault(At::delivery("till.charge"), Fault::Mute(MINUTE));
        graph.client("web").to("till.charge").param("cents", 5).cast().await?;
        well(&graph).await
    });
    assert_eq!(effects(&finished.trace, "charge"), ["5, 1 since the start", "777, 2 since the start"]);
}

/// The ack of the till's first charge is held back; meanwhile its consumer ends, and the till closes that channel behind the ack.
fn one_stream(end: Fault) -> Finished {
    let finished = passes(async |sim| {
        let graph = shop(&sim).start().await;
        sim.fault(At::delivery("till.charge"), Fault::Mute(MINUTE));
        sim.fault(At::delivery("till.charge").nth(3), end);
        for cents in [5, 6] {
            graph.client("web").to("till.charge").param("cents", cents).cast().await?;
        }
        well(&graph).await
    });
    assert!(told(&finished.trace, "till", "disconnected").is_empty(), "{}", text(&finished.trace));
    finished
}

#[test]
fn what_the_mute_send_is_one_stream_in_which_nothing_overtakes() {
    let finished = one_stream(Fault::ConsumerCancelled);
    let charged = effects(&finished.trace, "charge");
    assert_eq!(charged[0], "5, 1 since the start", "its ack came before the close of its channel");
    assert_eq!(charged.iter().filter(|charge| charge.starts_with('5')).count(), 1, "{charged:?}");
}

#[test]
fn what_the_mute_sent_on_a_channel_that_the_broker_closed_is_ignored() {
    let finished = one_stream(Fault::ChannelClosed);
    let charged = effects(&finished.trace, "charge");
    assert_eq!(charged.iter().filter(|charge| charge.starts_with('5')).count(), 2, "{charged:?}");
}

#[test]
fn a_run_is_not_settled_before_a_process_is_back_that_died_while_it_was_deaf() {
    for deaf_for in [3, 4, 5].map(Duration::from_millis) {
        let finished = passes(async |sim| {
            let graph = shop(&sim).start().await;
            sim.fault(At::start("orders.create"), Fault::Slow(Duration::from_millis(2)));
            sim.fault(At::delivery("orders.create").nth(2), Fault::Deaf(deaf_for));
            sim.fault(At::publish("till.charge"), Fault::Crash(Duration::from_millis(2)));
            for cents in [5, 6] {
                graph.client("web").to("orders.create").param("cents", cents).cast().await?;
            }
            graph.settle().await;
            assert_eq!(
                create(&graph, 7).await?,
                4,
                "at once, and not when a delivery to the dead came again"
            );
            Ok(())
        });
        assert_eq!(told(&finished.trace, "orders", "restarted").len(), 1, "{}", text(&finished.trace));
    }
}

#[test]
fn of_two_cuts_the_longer_one_counts() {
    let finished = passes(async |sim| {
        let graph = shop(&sim).start().await;
        graph.partition("till", MINUTE);
        graph.partition("till", Duration::from_secs(1));
        well(&graph).await
    });
    let back = told(&finished.trace, "till", "connected");
    assert!(
        back.iter().all(|event| event.at.is_zero() || event.at > MINUTE || event.what != What::Connected)
    );
}

#[test]
fn who_is_cut_off_without_end_comes_back_when_the_run_heals() {
    let finished = passes(async |sim| {
        let graph = shop(&sim).start().await;
        graph.partition("till", Duration::MAX);
        sim.advance(MINUTE).await;
        graph.heal();
        well(&graph).await
    });
    assert_eq!(effects(&finished.trace, "charge"), ["777, 1 since the start"]);
}

#[test]
fn a_server_that_starts_late_is_not_there_and_its_callers_are_told() {
    let finished = passes(async |sim| {
        sim.fault(At::boot("till"), Fault::LateStart(MINUTE));
        let graph = shop(&sim).start().await;
        let early = graph.client("web").to("till.charge").param("cents", 5).cast().await;
        let early = early.expect_err("nobody can get it");
        assert!(early.is_unroutable(), "{early}");
        assert!(create(&graph, 5).await.is_err(), "nor does an ask through another service");
        sim.advance(MINUTE).await;
        well(&graph).await
    });
    assert_eq!(effects(&finished.trace, "charge"), ["777, 1 since the start"]);
    assert_eq!(told(&finished.trace, "simulation", "late-start(60000ms) at boot of till").len(), 1);
}

#[test]
fn a_run_may_end_while_its_client_is_cut_off() {
    passes(async |sim| {
        let graph = shop(&sim).start().await;
        sim.fault(At::delivery("orders.create").nth(2), Fault::Partition(MINUTE));
        let ask = graph.client("web").to("orders.create").param("cents", 5).ask();
        let unanswered =
            ask.timeout(Duration::from_secs(5)).await.expect_err("the answer does not get through");
        assert!(unanswered.is_timeout(), "{unanswered}");
        Ok(())
    });
}
