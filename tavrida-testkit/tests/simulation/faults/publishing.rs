//! Faults while a message is sent.

use std::time::Duration;

use tavrida::discovery::Registry;
use tavrida::handler::params;
use tavrida::message::Failure;
use tavrida::{Client, Retry, Server, Service};
use tavrida_testkit::fault::{At, Fault};
use tavrida_testkit::trace::Outcome;

use super::{create, effects, passes, shop, told, well};

#[test]
fn a_publish_that_is_lost_is_ambiguous_and_nothing_arrives() {
    let finished = passes(async |sim| {
        let graph = shop(&sim).start().await;
        sim.fault(At::publish("till.charge"), Fault::PublishLost);
        let lost = graph.client("web").to("till.charge").param("cents", 5).cast().await;
        assert!(lost.expect_err("it was lost").is_ambiguous());
        well(&graph).await
    });
    assert_eq!(effects(&finished.trace, "charge"), ["777, 1 since the start"]);
    assert_eq!(told(&finished.trace, "web", "published, lost").len(), 1);
}

#[test]
fn a_publish_whose_confirm_is_lost_is_ambiguous_and_arrives() {
    let finished = passes(async |sim| {
        let graph = shop(&sim).start().await;
        sim.fault(At::confirm("till"), Fault::ConfirmLost);
        let lost = graph.client("web").to("till.charge").param("cents", 5).cast().await;
        assert!(lost.expect_err("its confirm was lost").is_ambiguous());
        well(&graph).await
    });
    assert_eq!(effects(&finished.trace, "charge"), ["5, 1 since the start", "777, 2 since the start"]);
    assert_eq!(told(&finished.trace, "web", &Outcome::ConfirmLost.to_string()).len(), 1);
}

#[test]
fn a_message_that_a_full_queue_refuses_is_refused_and_does_not_arrive() {
    let finished = passes(async |sim| {
        let graph = shop(&sim).start().await;
        sim.fault(At::publish("till.charge"), Fault::Nacked);
        let refused = graph.client("web").to("till.charge").param("cents", 5).cast().await;
        assert!(refused.expect_err("it was refused").is_refused());
        well(&graph).await
    });
    assert_eq!(effects(&finished.trace, "charge"), ["777, 1 since the start"]);
    assert!(told(&finished.trace, "web", "lost").is_empty(), "the session lives on");
}

#[test]
fn a_message_that_is_published_twice_is_handled_twice_without_a_mark() {
    let finished = passes(async |sim| {
        let graph = shop(&sim).start().await;
        sim.fault(At::publish("till.charge"), Fault::PublishedTwice);
        graph.client("web").to("till.charge").param("cents", 5).cast().await?;
        well(&graph).await
    });
    let charged = effects(&finished.trace, "charge");
    assert_eq!(charged, ["5, 1 since the start", "5, 2 since the start", "777, 3 since the start"]);
}

#[test]
fn a_process_that_is_killed_at_its_publish_handles_its_message_again() {
    let finished = passes(async |sim| {
        let graph = shop(&sim).start().await;
        sim.fault(At::publish("till.charge"), Fault::Crash(Duration::from_secs(1)));
        assert_eq!(create(&graph, 5).await?, 2, "the till got it from both lives of the process");
        well(&graph).await
    });
    assert_eq!(told(&finished.trace, "orders", &Outcome::Unseen.to_string()).len(), 1);
    assert_eq!(told(&finished.trace, "orders", "CRASHED").len(), 1);
    assert_eq!(told(&finished.trace, "orders", "restarted").len(), 1);
    assert_eq!(told(&finished.trace, "orders", "redelivered").len(), 1);
    assert_eq!(effects(&finished.trace, "charge").len(), 3);
}

#[test]
fn a_retry_copy_that_is_refused_once_is_no_lost_message() {
    passes(async |sim| {
        fn printer() -> Service {
            async fn print(_page: u32) -> Result<(), Failure> {
                Err(Failure::new("no.Paper", "the printer is out of paper"))
            }
            Service::new("printer").rpc("print", params(["page"], print))
        }
        let server = |transport| {
            let retry = Retry::times(3).between(Duration::from_millis(200), Duration::from_secs(30));
            let server = Server::builder(transport).queue("printer").exchange("printer").service(printer());
            server.on_failure(retry.then_dead_letter())
        };
        let graph = sim.graph().server("printer", server).start().await;
        sim.fault(At::publish("printer.print").nth(2), Fault::Nacked);
        let registry = Registry::new().remote_service("printer", "printer");
        let web = Client::builder(sim.transport("web")).source("web").discovery(registry).clock(sim.clock());
        let web = web.ids(sim.ids("web")).build().await?;
        web.to("printer.print").param("page", 1).cast().await?;
        graph.settle().await;
        Ok(())
    });
}
