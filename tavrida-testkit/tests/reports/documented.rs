//! The reports in the docs, as they are printed.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex};

use tavrida::handler::params;
use tavrida::message::{Failure, Payload};
use tavrida::{Proxy, Service};
use tavrida_testkit::explore;
use tavrida_testkit::schedule::Policy;
use tavrida_testkit::sim::Sim;
use tokio::sync::Notify;

/// Sends mails when a queue of a library says that it has room, which never happens.
pub(crate) fn a_hang() -> Service {
    Service::new("mails").rpc("send", async || Arc::new(Notify::new()).notified().await)
}

pub(crate) async fn two_that_ask_each_other(sim: Sim) -> Result<(), Failure> {
    let asking = |proxy: Proxy, method: &'static str| async move {
        proxy.to(method).ask().await?;
        Ok::<(), Failure>(())
    };
    let left = move || {
        let a = move |proxy: Proxy| asking(proxy, "right.a");
        Service::new("left").rpc("a", a).rpc("b", async || ())
    };
    let right = move || Service::new("right").rpc("a", move |proxy: Proxy| asking(proxy, "left.b"));
    let graph = sim.graph().service(left).service(right).configure("left", |server| server.prefetch(1));
    let graph = graph.client("web").start().await;
    graph.client("web").to("left.a").ask().await?;
    Ok(())
}

async fn a_mail_is_sent(sim: Sim) -> Result<(), Failure> {
    let graph = sim.graph().service(a_hang).client("web").start().await;
    graph.client("web").to("mails.send").cast().await?;
    graph.settle().await.handlers().assert_count(1);
    Ok(())
}

/// Adds two deposits to an account: each reads the balance from a store, and writes the sum.
async fn two_deposits_add_up(sim: Sim) -> Result<(), Failure> {
    let balance = Arc::new(Mutex::new(0));
    let of_store = balance.clone();
    let store = move || {
        let (read, written) = (of_store.clone(), of_store.clone());
        let read = move || {
            let balance = *read.lock().expect("no panic in a handler");
            async move { Payload::new(&BTreeMap::from([("balance", balance)])) }
        };
        let write = move |balance: i64| {
            *written.lock().expect("no panic in a handler") = balance;
            async {}
        };
        Service::new("store").rpc("read", read).rpc("write", params(["balance"], write))
    };
    let deposit = |proxy: Proxy, cents: i64| async move {
        let balance: i64 = proxy.to("store.read").ask().await?.payload().get("balance")?;
        proxy.to("store.write").param("balance", balance + cents).ask().await?;
        Ok::<(), Failure>(())
    };
    let account = move || Service::new("account").rpc("deposit", params(["cents"], deposit));
    let graph = sim.graph().service(store).service(account).client("web").start().await;
    for cents in [100, 20] {
        graph.client("web").to("account.deposit").param("cents", cents).cast().await?;
    }
    graph.settle().await;
    assert_eq!(*balance.lock().expect("no panic in a handler"), 120, "a deposit is lost");
    Ok(())
}

/// Asserts that the docs have the report of a scenario.
fn assert_documented<Fut: Future<Output = Result<(), Failure>>>(test: &str, scenario: fn(Sim) -> Fut) {
    let report = explore(scenario).without_environment().named(test).policy(Policy::Random).threads(1).run();
    let failure = report.failure().expect("it fails").to_string();
    // Where a panic of this file is, and where the crate is, is no part of what is shown.
    let printed: String =
        failure.lines().map(|line| format!("{}\n", without_place(line).trim_end())).collect();
    let docs = include_str!("../../src/explore/reports.md");
    assert!(docs.contains(&printed), "the docs do not have this report:\n{printed}");
}

fn without_place(line: &str) -> &str {
    line.rsplit_once(" (").filter(|(_, place)| place.contains(".rs:")).map_or(line, |(text, _)| text)
}

#[test]
fn the_report_of_a_deadlock_is_documented_as_it_is_printed() {
    assert_documented("two_that_ask_each_other", two_that_ask_each_other);
}

#[test]
fn the_report_of_a_hang_is_documented_as_it_is_printed() {
    assert_documented("a_mail_is_sent", a_mail_is_sent);
}

#[test]
fn the_report_of_a_lost_update_is_documented_as_it_is_printed() {
    assert_documented("two_deposits_add_up", two_deposits_add_up);
}
