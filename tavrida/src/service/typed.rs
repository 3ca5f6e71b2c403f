//! Registers handlers by the types of a [`contract`](crate::contract).

use super::Service;
use crate::contract::{self, Event, Rpc};
use crate::handler::{OfErrors, OfEvents, OfRequests, OfResponses, Typed, TypedHandler};
use crate::message::MessageKind;

/// Handlers of [contracts](crate::contract): types instead of strings.
///
/// A handler's last argument comes from the contract; those before it are [extractors](crate::handler).
///
/// ```
/// # use serde::{Deserialize, Serialize};
/// # use tavrida::contract::{Event, NoError, CallError, Rpc};
/// # use tavrida::prelude::{Proxy, Service};
/// # #[derive(Serialize, Deserialize)] struct Charge { order: u64, cents: u64 }
/// # #[derive(Serialize, Deserialize)] struct Receipt { number: String }
/// # impl Rpc for Charge { const ENTRY_POINT: &'static str = "billing.charge"; type Reply = Receipt; type Error = NoError; }
/// # #[derive(Serialize, Deserialize)] struct Low { sku: String }
/// # impl Event for Low { const TOPIC: &'static str = "stock.low"; }
/// async fn charged(proxy: Proxy, receipt: Receipt) {}
/// async fn not_charged(proxy: Proxy, refusal: CallError<NoError>) {}
/// async fn low(low: Low) {}
///
/// let orders = Service::new("orders")
///     .on_response_of::<Charge, _>(charged)
///     .on_error_of::<Charge, _>(not_charged)
///     .on_event::<Low, _>(low);
/// ```
impl Service {
    /// Adds a handler of a contract's requests: it gets the request, and returns the reply, or a `Result` of it with the contract's error
    /// or with [`Failure`](crate::message::Failure).
    pub fn rpc_of<C: Rpc, M: 'static>(self, handler: impl TypedHandler<OfRequests<C>, M>) -> Self {
        self.on(MessageKind::Request, contract::entry_point::<C>(), Typed::new(handler))
    }

    /// Adds a handler of the replies to a contract's requests: it gets the reply.
    pub fn on_response_of<C: Rpc, M: 'static>(self, handler: impl TypedHandler<OfResponses<C>, M>) -> Self {
        self.on(MessageKind::Response, contract::entry_point::<C>(), Typed::new(handler))
    }

    /// Adds a handler of the errors of a contract's requests: it gets a [`CallError`](contract::CallError).
    pub fn on_error_of<C: Rpc, M: 'static>(self, handler: impl TypedHandler<OfErrors<C>, M>) -> Self {
        self.on(MessageKind::Error, contract::entry_point::<C>(), Typed::new(handler))
    }

    /// Adds a handler of a contract's event: a subscription. It gets the event.
    pub fn on_event<E: Event, M: 'static>(self, handler: impl TypedHandler<OfEvents<E>, M>) -> Self {
        self.on(MessageKind::Notification, contract::topic::<E>(), Typed::new(handler))
    }
}
