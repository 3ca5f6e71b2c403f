//! Mistakes between two operations on a stand-in for a database that answers at once: others come in between at its yield points.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tavrida::Service;
use tavrida::handler::{State, params};
use tavrida::message::Failure;
use tavrida_testkit::exhaustive::exhaustive;
use tavrida_testkit::explore;
use tavrida_testkit::fault::Faults;
use tavrida_testkit::problem::ProblemKind;
use tavrida_testkit::sim::Sim;
use tavrida_testkit::yield_point;

use crate::book::order;
use crate::every_await::{in_every_order, is_found};

/// A stand-in for a database with one number, the tickets that are left, and what was sold of them.
struct Tickets {
    left: AtomicI64,
    sold: AtomicI64,
    /// Whether those who sell check and take in one operation.
    mended: bool,
}

impl Tickets {
    fn new(mended: bool) -> Arc<Self> {
        Arc::new(Self { left: AtomicI64::new(1), sold: AtomicI64::new(0), mended })
    }

    async fn left(&self) -> i64 {
        yield_point().await;
        self.left.load(Ordering::Relaxed)
    }

    async fn set_left(&self, left: i64) {
        yield_point().await;
        self.left.store(left, Ordering::Relaxed);
    }

    /// Takes one if there is one, as a transaction does.
    async fn take(&self) -> bool {
        yield_point().await;
        let left = self.left.load(Ordering::Relaxed);
        self.left.store(0.max(left - 1), Ordering::Relaxed);
        left > 0
    }
}

async fn sell(State(tickets): State<Tickets>, _id: String) {
    let sells = match tickets.mended {
        true => tickets.take().await,
        false => {
            let left = tickets.left().await;
            if left > 0 {
                tickets.set_left(left - 1).await;
            }
            left > 0
        }
    };
    tickets.sold.fetch_add(i64::from(sells), Ordering::Relaxed);
}

fn office(name: &'static str, tickets: &Arc<Tickets>) -> impl Fn() -> Service + Send + Sync + use<> {
    let tickets = tickets.clone();
    move || Service::new(name).shared_state(tickets.clone()).rpc("sell", params(["id"], sell))
}

/// Two buyers at one office want the last ticket.
async fn two_buyers(sim: Sim, mended: bool) -> Result<(), Failure> {
    let tickets = Tickets::new(mended);
    let graph = sim.graph().service(office("office", &tickets)).client("web").start().await;
    order(graph.client("web"), "office.sell", "a").await?;
    order(graph.client("web"), "office.sell", "b").await?;
    graph.settle().await;
    assert_eq!(tickets.sold.load(Ordering::Relaxed), 1, "one ticket is sold once");
    Ok(())
}

/// Two offices, each a process, share the tickets.
async fn two_offices(sim: Sim, mended: bool) -> Result<(), Failure> {
    let tickets = Tickets::new(mended);
    let (north, south) = (office("north", &tickets), office("south", &tickets));
    let graph = sim.graph().service(north).service(south).client("web").start().await;
    order(graph.client("web"), "north.sell", "a").await?;
    order(graph.client("web"), "south.sell", "b").await?;
    graph.settle().await;
    assert_eq!(tickets.sold.load(Ordering::Relaxed), 1, "one ticket is sold once");
    Ok(())
}

#[test]
fn another_handler_of_the_process_comes_between_a_check_and_what_follows() {
    is_found(|sim| two_buyers(sim, false), &Faults::none(), 2);
    explore(|sim| two_buyers(sim, true)).schedules(1000).without_environment().run().assert_ok();
}

#[test]
fn another_process_comes_between_a_check_and_what_follows() {
    is_found(|sim| two_offices(sim, false), &Faults::none(), 2);
    explore(|sim| two_offices(sim, true)).schedules(1000).without_environment().run().assert_ok();
}

#[test]
fn every_order_of_yield_points_is_tried() {
    let found = Some(ProblemKind::Assertion);
    in_every_order(|sim| two_buyers(sim, false), None, found.clone());
    in_every_order(|sim| two_buyers(sim, true), None, None);
    in_every_order(|sim| two_offices(sim, false), None, found);
    in_every_order(|sim| two_offices(sim, true), None, None);
}

#[test]
fn a_handler_that_waits_for_nothing_is_told_to_be_one_step() {
    let report = exhaustive(|sim| two_buyers(sim, true)).run();
    assert!(report.atomic.is_empty(), "{report}");
    let at_once = async |sim: Sim| {
        let shop = || Service::new("shop").rpc("close", async || ());
        let graph = sim.graph().service(shop).client("web").start().await;
        graph.client("web").to("shop.close").ask().await.map(drop)
    };
    let report = exhaustive(at_once).run();
    report.assert_ok();
    assert!(
        report.to_string().contains("note: each is one step here, since it waits for nothing: shop.close"),
        "{report}"
    );
}
