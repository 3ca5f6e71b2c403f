//! Declares the topology of a graph once; the brokers of further runs start as copies.
//!
//! A run starts in microseconds only if it does not repeat the declarations that all runs share. Each thread keeps the copies together with
//! the plans that they were made from: a graph with other plans gets another broker.

use std::cell::RefCell;

use tavrida::server::Plan;
use tavrida::transport::{SessionError, Transport};
use tavrida_memory::core::Broker;
use tavrida_memory::{MemoryBroker, RabbitMq};

/// How many graphs a thread remembers.
const KEPT: usize = 4;

thread_local! {
    static PREPARED: RefCell<Vec<(RabbitMq, Vec<Plan>, Broker)>> = const { RefCell::new(Vec::new()) };
}

/// Returns a broker like this version, with all of these plans carried out.
///
/// # Errors
///
/// The broker refuses part of a plan: two plans clash.
pub(super) async fn broker_with(version: RabbitMq, plans: Vec<&Plan>) -> Result<Broker, SessionError> {
    let known = PREPARED.with_borrow(|prepared| {
        let is_same = |like: RabbitMq, of: &[Plan]| like == version && of.iter().eq(plans.iter().copied());
        prepared.iter().find(|(like, of, _)| is_same(*like, of)).map(|(.., broker)| broker.clone())
    });
    if let Some(broker) = known {
        return Ok(broker);
    }
    let prepared = prepare(version, &plans).await?;
    PREPARED.with_borrow_mut(|all| {
        all.truncate(KEPT - 1);
        all.insert(0, (version, plans.into_iter().cloned().collect(), prepared.clone()));
    });
    Ok(prepared)
}

async fn prepare(version: RabbitMq, plans: &[&Plan]) -> Result<Broker, SessionError> {
    let broker = MemoryBroker::builder().like(version).build();
    let session = broker.transport().connect().await?;
    for plan in plans {
        plan.declare(&*session).await?;
    }
    session.close().await?;
    Ok(broker.core())
}
