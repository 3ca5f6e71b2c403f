//! The scenario: a customer orders, and in the end the money was taken once.

use std::future::Future;

use tavrida::Service;
use tavrida::message::Failure;
use tavrida_testkit::sim::Sim;

use crate::bank::Bank;
use crate::contracts::Place;
use crate::notifications::{Notifications, Outbox};
use crate::orders::Orders;
use crate::payments::{CarefulPayments, Payments, RememberingPayments};
use crate::stock::{Shelves, Stock};

const ORDER: u64 = 7;

/// Runs the shop with the first version of the payments service.
pub async fn first_try(sim: Sim) -> Result<(), Failure> {
    shop(sim, |bank| Payments(bank).into_service()).await
}

/// Runs the shop with the second version of the payments service.
pub async fn second_try(sim: Sim) -> Result<(), Failure> {
    let receipts = sim.store("receipts");
    shop(sim, move |bank| RememberingPayments(bank, receipts.clone()).into_service()).await
}

/// Runs the shop with the repaired payments service.
pub async fn repaired(sim: Sim) -> Result<(), Failure> {
    shop(sim, |bank| CarefulPayments(bank).into_service()).await
}

fn shop(
    sim: Sim,
    payments: impl Fn(Bank) -> Service + Send + Sync + 'static,
) -> impl Future<Output = Result<(), Failure>> {
    // External systems: they keep their state when a process is killed.
    let (bank, shelves, outbox) = (Bank::default(), Shelves::with("lamp", 3), Outbox::default());
    async move {
        let graph = sim
            .graph()
            .service(|| Orders.into_service())
            .service({
                let bank = bank.clone();
                move || payments(bank.clone())
            })
            .service(move || Stock(shelves.clone()).into_service())
            .service({
                let outbox = outbox.clone();
                move || Notifications(outbox.clone()).into_service()
            })
            .client("web")
            .start()
            .await;

        let placed =
            graph.client("web").ask(Place { order: ORDER, sku: "lamp".to_owned(), cents: 4900 }).await;

        // All faults have ended, and every message is settled.
        graph.heal();
        graph.settle().await;
        let charges = bank.charges(ORDER);
        assert!(charges <= 1, "order {ORDER} was charged {charges} times");
        if placed.is_ok() {
            assert_eq!(charges, 1, "order {ORDER} was placed and never charged");
            assert!(outbox.mails().contains(&ORDER), "nobody thanked the customer");
        }
        Ok(())
    }
}
