//! No law is violated without a bug, whatever the order of messages and the faults around them.

use std::time::Duration;

use tavrida::discovery::Registry;
use tavrida::handler::params;
use tavrida::message::{Failure, Request};
use tavrida::{Proxy, Retry, Server, Service};
use tavrida_testkit::fault::{At, Fault, Site};
use tavrida_testkit::schedule::Policy;
use tavrida_testkit::sim::{Ended, Setup, Sim, SimTransport, Verdict};
use tavrida_testkit::trace::What;

use crate::chain::three_requests;
use crate::shop::{self, Create};

const SEEDS: u64 = 500;

fn holds_for_all_seeds<Fut: Future<Output: Ended>>(scenario: impl Fn(Sim) -> Fut) {
    for seed in 0..SEEDS {
        let finished = Setup { policy: Policy::Random, ..Setup::new(seed) }.run(&scenario);
        assert_eq!(finished.verdict, Verdict::Passed, "seed {seed}\n{}", finished.trace);
    }
}

#[test]
fn a_chain_of_asks_keeps_the_laws() {
    holds_for_all_seeds(three_requests);
}

/// Orders, some of which are declined.
async fn orders(sim: Sim) {
    let graph = shop::graph(&sim).await;
    let web = graph.client("web");
    let order = |id: u64, cents: u64| async move {
        let asked = web.request(Create { id, cents }).context(&serde_json::json!({"user": "ann"}));
        drop(asked.ask().timeout(Duration::from_secs(5)).await);
    };
    tokio::join!(order(1, 100), order(2, 5000), order(3, 1));
    graph.settle().await;
}

#[test]
fn answers_errors_and_events_keep_the_laws() {
    holds_for_all_seeds(orders);
}

/// `desk` calls `back` in all possible ways; `back` answers, or answers nothing.
fn desk() -> Service {
    async fn pass(proxy: Proxy, request: Request) -> Result<(), Failure> {
        proxy.to("back.work").answer_to_caller().transfer(&request).await?;
        Ok(())
    }
    async fn later(
        proxy: Proxy,
        reply: tavrida::proxy::Responder,
    ) -> Result<tavrida::proxy::Answered, Failure> {
        Ok(proxy.to("back.work").context(&serde_json::json!({"new": 1})).call_with(reply).await?)
    }
    async fn later_from_quiet(
        proxy: Proxy,
        reply: tavrida::proxy::Responder,
    ) -> Result<tavrida::proxy::Answered, Failure> {
        Ok(proxy.to("back.quiet").context(&serde_json::json!({"new": 1})).call_with(reply).await?)
    }
    async fn worked(reply: tavrida::proxy::Responder) -> tavrida::proxy::Answered {
        reply.answer(())
    }
    async fn tell(proxy: Proxy) -> Result<(), Failure> {
        proxy.to("back.quiet").correlation_id("a chain of its own").call().await?;
        proxy.publish().topic("desk.told").send().await?;
        Ok(())
    }
    Service::new("desk")
        .rpc("pass", pass)
        .rpc("later", later)
        .rpc("later_from_quiet", later_from_quiet)
        .rpc("tell", tell)
        .on_response("back.work", worked)
        .on_response("back.quiet", worked)
}

fn back() -> Service {
    async fn work() -> tavrida::message::Payload {
        tavrida::message::Payload::EMPTY
    }
    async fn quiet() {}
    Service::new("back").rpc("work", work).rpc("quiet", quiet).on_notification("desk.told", quiet)
}

#[test]
fn transfers_late_answers_and_quiet_handlers_keep_the_laws() {
    holds_for_all_seeds(async |sim: Sim| {
        let graph = sim.graph().service(desk).service(back).client("web").start().await;
        let web = graph.client("web");
        for method in ["desk.pass", "desk.later", "desk.later_from_quiet", "desk.tell", "back.quiet"] {
            let asked = web.to(method).context(&serde_json::json!({"old": 1})).ask();
            asked.timeout(Duration::from_secs(9)).await.map_err(|error| format!("{method}: {error}"))?;
        }
        web.to("desk.tell").cast().await.map_err(|error| error.to_string())?;
        graph.settle().await;
        Ok::<(), String>(())
    });
}

/// A server whose handler fails permanently on odd numbers, and twice on even ones.
fn flaky(transport: SimTransport) -> tavrida::server::ServerBuilder {
    async fn work(attempt: tavrida::handler::Attempt, n: i64) -> Result<(), Failure> {
        if n % 2 == 1 || attempt.number < 3 {
            return Err(Failure::new("flaky.No", "not now"));
        }
        Ok(())
    }
    Server::builder(transport)
        .queue("flaky")
        .exchange("flaky")
        .service(Service::new("flaky").rpc("work", params(["n"], work)).discovery(Registry::new()))
        .on_failure(
            Retry::times(3).between(Duration::from_secs(1), Duration::from_secs(4)).then_dead_letter(),
        )
}

#[test]
fn retries_and_dead_letters_keep_the_laws() {
    holds_for_all_seeds(async |sim: Sim| {
        let graph = sim.graph().server("flaky", flaky).start().await;
        let registry = Registry::new().remote_service("flaky", "flaky");
        let transport = sim.transport("web");
        let web = tavrida::Client::builder(transport).source("web").discovery(registry).build().await?;
        for n in 0..4 {
            web.to("flaky.work").param("n", n).cast().await?;
        }
        let run = graph.settle().await;
        run.dead_letters()
            .assert_count(2)
            .assert_all(|dead| dead.payload().get::<i64>("n").is_ok_and(|n| n % 2 == 1));
        run.handlers().assert_count(2 * 3 + 2 * 4);
        let attempts = run.trace().events().iter().filter_map(|event| match event.what {
            tavrida_testkit::trace::What::Started { attempt } => Some(attempt),
            _ => None,
        });
        assert_eq!(attempts.max(), Some(4));
        web.close().await;
        Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    });
}

#[test]
fn whatever_goes_wrong_is_no_breach_of_a_law() {
    let second = Duration::from_secs(1);
    let sites: [fn(&str) -> At; 7] =
        [At::publish, At::confirm, At::delivery, At::start, At::in_handler, At::before_ack, At::after_ack];
    let faults = [
        Fault::PublishLost,
        Fault::ConfirmLost,
        Fault::Nacked,
        Fault::PublishedTwice,
        Fault::ConnectionLost,
        Fault::Crash(second),
        Fault::Redelivered,
        Fault::BrokerRestart,
        Fault::BrokerKilled,
        Fault::Slow(second),
        Fault::Partition(second),
        Fault::Deaf(second),
        Fault::Mute(second),
        Fault::ClockJump(3600),
    ];
    for (site, fault) in sites.iter().flat_map(|site| faults.map(|fault| (site, fault))) {
        if !fault.sites().contains(&site("a place").site()) {
            continue;
        }
        for place in ["orders.create", "billing.charge", "orders.placed"] {
            if matches!(fault, Fault::Crash(_))
                && site(place).site() == Site::Publish
                && place == "orders.create"
            {
                // The process of the test's client, which is not restarted.
                continue;
            }
            for nth in 1..=2 {
                let finished = Setup::new(1).run(async |sim: Sim| {
                    sim.fault(site(place).nth(nth).optional(), fault);
                    orders(sim).await;
                });
                let at = site(place).nth(nth);
                assert_eq!(finished.verdict, Verdict::Passed, "{fault} at {at:?}\n{}", finished.trace);
            }
        }
    }
}

#[test]
fn events_have_the_time_to_which_a_scenario_moved_the_clock() {
    let finished = Setup::new(1).run(async |sim: Sim| {
        let graph = shop::graph(&sim).await;
        sim.note("before");
        tokio::time::advance(Duration::from_secs(5)).await;
        sim.note("after");
        drop(graph);
    });
    let notes = finished.trace.events().iter().filter(|event| matches!(event.what, What::Note(_)));
    assert_eq!(notes.map(|event| event.at.as_secs()).collect::<Vec<_>>(), [0, 5]);
}
