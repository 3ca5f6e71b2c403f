//! Who waits for whom, where a run hangs.

use std::time::Duration;

use tavrida::message::Failure;
use tavrida::{Proxy, Service};
use tavrida_testkit::explore;
use tavrida_testkit::run::Run;
use tavrida_testkit::sim::{Setup, Sim, Verdict};

use crate::documented::{a_hang, two_that_ask_each_other};

/// Returns why a scenario fails on the default schedule.
fn problem<Fut: Future<Output = Result<(), Failure>>>(setup: &Setup, scenario: fn(Sim) -> Fut) -> String {
    match setup.run(scenario).verdict {
        Verdict::Failed(problem) => problem.to_string(),
        Verdict::Passed => panic!("it passes"),
    }
}

#[test]
fn a_cycle_of_asks_is_told_as_such_when_one_times_out() {
    let report = explore(two_that_ask_each_other).without_environment().schedules(1).run();
    let text = report.to_string();
    let cycle = "a cycle, which nothing ends but a deadline: left.a awaits right.a; right.a awaits left.b; \
                 left.b waits in the queue 'left': left holds 1, of 1 at most";
    assert!(text.contains(cycle), "{text}");
    assert!(text.contains("TIMED OUT: no answer within 30s"), "{text}");
}

#[test]
fn a_graph_that_does_not_settle_names_the_handler_that_hangs() {
    async fn unsettled(sim: Sim) -> Result<(), Failure> {
        let graph = sim.graph().service(a_hang).client("web").start().await;
        graph.client("web").to("mails.send").cast().await?;
        let unsettled = graph.settle_within(Duration::from_secs(10)).await.expect_err("it hangs");
        Err(Failure::new("test.Unsettled", unsettled.to_string()))
    }
    let text = problem(&Setup::new(1), unsettled);
    let handler = "the handler of mails.send (m1) in mails, since 0ms, waits for no message: for a timer, a lock, a Notify or a task";
    assert!(text.contains("still under way after 10s") && text.contains(handler), "{text}");
}

#[test]
fn a_scenario_that_does_not_end_names_what_it_waits_for() {
    async fn waits(sim: Sim) -> Result<(), Failure> {
        let graph = sim.graph().service(a_hang).client("web").start().await;
        graph.client("web").to("mails.send").ask().timeout(Duration::from_secs(60)).await?;
        Ok(())
    }
    let text = problem(&Setup { horizon: Duration::from_secs(5), ..Setup::new(1) }, waits);
    assert!(text.contains("web awaits mails.send (m1), since 0ms"), "{text}");
    assert!(text.contains("the handler of mails.send (m1) in mails"), "{text}");
}

#[test]
fn what_waits_behind_a_busy_handler_is_told_with_its_place() {
    async fn behind(sim: Sim) -> Result<(), Failure> {
        let slow =
            || Service::new("slow").rpc("work", async || tokio::time::sleep(Duration::from_secs(60)).await);
        let graph = sim.graph().service(slow).configure("slow", |server| server.prefetch(2).concurrency(1));
        let graph = graph.client("web").start().await;
        for _ in 0..3 {
            graph.client("web").to("slow.work").cast().await?;
        }
        let unsettled = graph.settle_within(Duration::from_secs(10)).await.expect_err("it takes 3 minutes");
        Err(Failure::new("test.Unsettled", unsettled.to_string()))
    }
    let text = problem(&Setup::new(1), behind);
    assert!(text.contains("slow.work (m2) waits in slow's prefetch: slow works 1 at a time"), "{text}");
    assert!(text.contains("slow.work (m3) waits in the queue 'slow': slow holds 2, of 2 at most"), "{text}");
}

#[test]
fn an_ask_that_is_answered_in_time_is_no_timeout() {
    async fn asks(sim: Sim) -> Result<(), Failure> {
        let echo = || Service::new("echo").rpc("say", async || ());
        let relay = || {
            Service::new("relay").rpc("say", |proxy: Proxy| async move {
                proxy.to("echo.say").ask().await?;
                Ok::<(), Failure>(())
            })
        };
        let graph = sim.graph().service(echo).service(relay).client("web").start().await;
        graph.client("web").to("relay.say").ask().await?;
        sim.advance(Duration::from_secs(100)).await;
        assert!(!graph.run().text().contains("TIMED OUT"), "{}", graph.run());
        Ok(())
    }
    assert_eq!(Setup::new(1).run(asks).verdict, Verdict::Passed);
}

#[test]
fn a_handler_that_hangs_until_its_deadline_fails_the_run() {
    async fn hangs(sim: Sim) -> Result<(), Failure> {
        let graph = sim.graph().service(a_hang).client("web").start().await;
        graph.client("web").to("mails.send").cast().await?;
        graph.settle().await.dead_letters().assert_count(1);
        Ok(())
    }
    let text = problem(&Setup::new(1), hangs);
    assert!(
        text.contains("mails dropped the handler of the request mails.send of web after 300s, its deadline"),
        "{text}"
    );
    assert!(text.contains("waits for no message: for a timer, a lock, a Notify or a task"), "{text}");
}

#[test]
fn a_message_that_is_given_up_unseen_fails_the_run() {
    async fn fails(sim: Sim) -> Result<Run, Failure> {
        let broken =
            || Service::new("mails").rpc("send", async || Err::<(), _>(Failure::new("mails.Down", "no")));
        let graph = sim.graph().service(broken).client("web").start().await;
        graph.client("web").to("mails.send").cast().await?;
        Ok(graph.settle().await)
    }
    let text = problem(&Setup::new(1), |sim| async { fails(sim).await.map(|_| ()) });
    assert!(text.contains("mails gave up mails.send, and the test does not look at dead letters"), "{text}");
    let looks = Setup::new(1).run(|sim| async {
        fails(sim).await?.dead_letters().assert_count(1);
        Ok::<(), Failure>(())
    });
    assert_eq!(looks.verdict, Verdict::Passed);
    let counts = Setup::new(1).run(|sim| async {
        fails(sim).await?.assert_no_errors();
        Ok::<(), Failure>(())
    });
    assert_ne!(counts.verdict, Verdict::Passed);
}
