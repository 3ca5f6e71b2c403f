//! Versions of a service in one graph, processes whose clocks differ, and conditions that hold in the end.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;
use tavrida::field::Value;
use tavrida::message::Failure;
use tavrida::time::Clock;
use tavrida::{Proxy, Service};
use tavrida_testkit::exhaustive::exhaustive;
use tavrida_testkit::fault::{At, Fault};
use tavrida_testkit::problem::ProblemKind;
use tavrida_testkit::sim::{Setup, Sim, Verdict};

type Log = Arc<Mutex<Vec<&'static str>>>;

/// A version of a service that records which version did the work, after a second.
fn version(name: &'static str, log: &Log) -> impl Fn() -> Service + Send + Sync + use<> {
    let log = log.clone();
    move || {
        let log = log.clone();
        Service::new("billing").rpc("charge", move || {
            let log = log.clone();
            async move {
                tokio::time::sleep(Duration::from_secs(1)).await;
                log.lock().push(name);
            }
        })
    }
}

fn passes<Fut: Future<Output = Result<(), Failure>>>(scenario: impl FnOnce(Sim) -> Fut) {
    let finished = Setup::new(1).run(scenario);
    assert_eq!(finished.verdict, Verdict::Passed, "{}", finished.trace.text());
}

#[test]
fn an_upgrade_ends_what_is_begun_and_leaves_the_rest_to_the_new_version() {
    passes(async |sim| {
        let log = Log::default();
        let graph = sim.graph().service(version("old", &log)).client("web");
        let one_by_one = |server: tavrida::server::ServerBuilder| server.prefetch(1);
        let graph = graph.configure("billing", one_by_one).start().await;
        for _ in 0..3 {
            graph.client("web").to("billing.charge").cast().await?;
        }
        sim.advance(Duration::from_millis(500)).await;
        graph.upgrade("billing", version("new", &log)).await;
        graph.settle().await;
        assert_eq!(*log.lock(), ["old", "new", "new"]);
        Ok(())
    });
}

#[test]
fn a_message_is_for_the_old_version_or_for_the_new_one() {
    let seen: Mutex<BTreeSet<Vec<&'static str>>> = Mutex::default();
    let deploy = async |sim: Sim| {
        let log = Log::default();
        let graph = sim.graph().service(version("old", &log)).client("web").start().await;
        let charge = async { graph.client("web").to("billing.charge").cast().await };
        let upgrade = async { graph.upgrade("billing", version("new", &log)).await };
        let (charged, ()) = tokio::join!(charge, upgrade);
        charged?;
        graph.settle().await;
        seen.lock().insert(log.lock().clone());
        Ok::<(), Failure>(())
    };
    exhaustive(deploy).run().assert_ok();
    assert_eq!(*seen.lock(), BTreeSet::from([vec!["old"], vec!["new"]]));
}

#[test]
fn of_replicas_one_or_all_are_upgraded() {
    passes(async |sim| {
        let log = Log::default();
        let graph =
            sim.graph().service(version("old", &log)).replicas("billing", 2).client("web").start().await;
        let versions = async |calls: usize| {
            log.lock().clear();
            for _ in 0..calls {
                graph.client("web").to("billing.charge").cast().await?;
            }
            graph.settle().await;
            Ok::<_, Failure>(log.lock().iter().copied().collect::<BTreeSet<_>>())
        };
        graph.upgrade("billing/2", version("new", &log)).await;
        assert_eq!(versions(4).await?, BTreeSet::from(["old", "new"]));
        graph.upgrade("billing", version("new", &log)).await;
        assert_eq!(versions(4).await?, BTreeSet::from(["new"]));
        Ok(())
    });
}

#[test]
fn a_process_that_is_down_is_upgraded_when_it_starts() {
    passes(async |sim| {
        let log = Log::default();
        let graph = sim.graph().service(version("old", &log)).client("web").start().await;
        graph.client("web").to("billing.charge").cast().await?;
        sim.advance(Duration::from_millis(500)).await;
        graph.crash("billing", Duration::from_secs(10));
        graph.upgrade("billing", version("new", &log)).await;
        graph.settle().await;
        assert_eq!(*log.lock(), ["new"]);
        Ok(())
    });
}

#[test]
fn a_new_version_that_is_killed_before_it_consumes_is_waited_for() {
    passes(async |sim| {
        let log = Log::default();
        let graph = sim.graph().service(version("old", &log)).client("web").start().await;
        let upgrade = graph.upgrade("billing", version("new", &log));
        let crashes = async {
            for _ in 0..4 {
                tokio::task::yield_now().await;
                graph.crash("billing", Duration::from_secs(10));
            }
        };
        tokio::join!(upgrade, crashes);
        graph.client("web").to("billing.charge").cast().await?;
        graph.settle().await;
        assert_eq!(*log.lock(), ["new"]);
        Ok(())
    });
}

#[test]
fn a_new_version_that_cannot_start_fails_the_run() {
    let finished = Setup::new(1).run(async |sim: Sim| {
        let graph = sim.graph().service(version("old", &Log::default())).start().await;
        graph
            .upgrade("billing", || {
                Service::new("billing").rpc("charge", async || ()).rpc("charge", async || ())
            })
            .await;
    });
    let Verdict::Failed(problem) = finished.verdict else { panic!("it has two methods of one name") };
    assert_eq!(problem.kind, ProblemKind::Server);
    assert!(problem.text.contains("server 'billing' cannot be built"), "{problem}");
}

#[test]
fn a_server_whose_clock_is_wrong_stamps_its_own_time_and_answers_in_time() {
    for skew in [-3600, 3600] {
        passes(async |sim| {
            let open = async || tokio::time::sleep(Duration::from_secs(1)).await;
            let close = async || Err::<(), _>(Failure::new("shop.Jammed", "the door does not close"));
            let shop = move || Service::new("shop").rpc("open", open).rpc("close", close);
            let graph = sim.graph().service(shop).skew("shop", skew).client("web").start().await;
            graph.client("web").to("shop.open").ask().timeout(Duration::from_secs(10)).await?;

            graph.client("web").to("shop.close").cast().await?;
            let run = graph.settle().await;
            let dead = run.trace().messages().iter().find(|message| message.is_dead_letter());
            let stamp = dead.expect("it failed").publication().properties.headers().get("x-tavrida-dead-at");
            let now = sim.clock().skewed(skew).now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
            assert_eq!(stamp, Some(&Value::Timestamp(now.as_secs())));
            graph.broker(); // the dead letter is seen
            Ok(())
        });
    }
}

#[test]
fn a_skewed_clock_shows_its_own_time_and_jumps_with_the_others() {
    passes(async |sim| {
        let clock = sim.clock();
        let slow = clock.skewed(-5);
        assert_eq!(clock.now().duration_since(slow.now()).unwrap(), Duration::from_secs(5));
        sim.advance(Duration::from_secs(3)).await;
        assert_eq!(clock.now().duration_since(slow.now()).unwrap(), Duration::from_secs(5));
        assert_eq!(slow.skewed(5).now(), clock.now());
        Ok(())
    });
}

async fn sent_until_it_arrives(sim: Sim, within: Duration) -> Result<(), Failure> {
    let log = Log::default();
    let relay = async |proxy: Proxy| proxy.to("billing.charge").cast().await.map(drop);
    let relay = move || Service::new("relay").rpc("pass", relay);
    let graph = sim.graph().service(version("only", &log)).service(relay).client("web").start().await;
    sim.fault(At::start("billing.charge"), Fault::Crash(Duration::from_secs(20)));
    graph.client("web").to("relay.pass").cast().await?;
    sim.advance(Duration::from_secs(1)).await;
    sim.eventually(within, || !log.lock().is_empty()).await;
    Ok(())
}

#[test]
fn a_condition_holds_in_time_or_what_is_under_way_is_told() {
    passes(|sim| sent_until_it_arrives(sim, Duration::from_secs(60)));
    let finished = Setup::new(1).run(|sim| sent_until_it_arrives(sim, Duration::from_secs(15)));
    let Verdict::Failed(problem) = finished.verdict else { panic!("it holds after 20 s") };
    let place = format!("the condition at {}:", file!());
    assert!(
        problem.text.contains(&place) && problem.text.contains("15s after the end of the faults"),
        "{problem}"
    );
    assert!(problem.text.contains("billing has no session"), "{problem}");
}
