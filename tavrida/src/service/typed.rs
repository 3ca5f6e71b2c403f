//! Registers handlers by the types of a [`contract`](crate::contract).

use super::Service;
use crate::contract::{self, Event, Rpc};
use crate::handler::side::{OfErrors, OfEvents, OfRequests, OfResponses};
use crate::handler::{Typed, TypedHandler};
use crate::message::MessageKind;

/// Handlers of [contracts](crate::contract): types instead of strings.
///
/// A handler's last argument names the contract; those before it are [extractors](crate::handler).
///
/// ```
/// # use serde::{Deserialize, Serialize};
/// # use tavrida::prelude::*;
/// # #[derive(Serialize, Deserialize, Rpc)] #[rpc("orders.create")] struct Create { id: u64 }
/// # #[derive(Serialize, Deserialize, Rpc)] #[rpc("billing.charge", reply = Receipt)] struct Charge { order: u64, cents: u64 }
/// # #[derive(Serialize, Deserialize)] struct Receipt { number: String }
/// # #[derive(Serialize, Deserialize, Event)] #[event("stock.low")] struct Low { sku: String }
/// async fn create(proxy: Proxy, new: Create) -> Result<()> {
///     proxy.call(Charge { order: new.id, cents: 500 }).await?;
///     Ok(())
/// }
/// async fn charged(answer: Answer<Charge>) {
///     println!("receipt {} from {}", answer.number, answer.response.source());
/// }
/// async fn not_charged(error: CallError<Charge>) {
///     println!("not charged: {error}");
/// }
/// async fn low(low: Low) {}
///
/// let orders = Service::new("orders").handle(create).handle_answer(charged).handle_error(not_charged).subscribe(low);
/// ```
impl Service {
    /// Adds a handler of a contract's requests: it gets the request, and returns the reply, or a `Result` of it with the contract's error
    /// or with [`Failure`](crate::message::Failure).
    pub fn handle<C: Rpc, M: 'static>(self, handler: impl TypedHandler<OfRequests<C>, M>) -> Self {
        self.on(MessageKind::Request, contract::entry_point::<C>(), Typed::new(handler))
    }

    /// Adds a handler of the answers to this service's calls of a contract: it gets an [`Answer`](crate::proxy::Answer), the reply with its
    /// message.
    pub fn handle_answer<C: Rpc, M: 'static>(self, handler: impl TypedHandler<OfResponses<C>, M>) -> Self {
        self.on(MessageKind::Response, contract::entry_point::<C>(), Typed::new(handler))
    }

    /// Adds a handler of the errors of this service's calls of a contract: it gets a [`CallError`](contract::CallError).
    pub fn handle_error<C: Rpc, M: 'static>(self, handler: impl TypedHandler<OfErrors<C>, M>) -> Self {
        self.on(MessageKind::Error, contract::entry_point::<C>(), Typed::new(handler))
    }

    /// Subscribes to a contract's event: the handler gets the event.
    pub fn subscribe<E: Event, M: 'static>(self, handler: impl TypedHandler<OfEvents<E>, M>) -> Self {
        self.on(MessageKind::Notification, contract::topic::<E>(), Typed::new(handler))
    }
}
