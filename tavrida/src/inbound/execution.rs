//! [`Execution`]: one service handles one message.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use smol_str::format_smolstr;
use tokio::time::Instant;

use super::asker;
use super::late::outcome_of_reply;
use super::parts::Inbound;
use crate::asks::HandlerAsks;
use crate::caught::{self, Caught};
use crate::disposition::Outcome;
use crate::error::{Error, Kind};
use crate::handler::{Attempt, Deadline, ErasedHandler, Invocation, StateMap};
use crate::id::IdScope;
use crate::link::Epoch;
use crate::message::{Failure, Message, MessageKind, Payload, Reply, Request};
use crate::middleware::{Endpoint, Next};
use crate::outbound::SendOptions;
use crate::proxy::{self, Identity, Proxy, Route, Sender};
use crate::service::Hosted;
use crate::show::shown;
use crate::slots::{InSlot, Slot};

pub(super) struct Execution<'a> {
    pub(super) inbound: &'a Inbound,
    pub(super) service: &'a Arc<Hosted>,
    pub(super) epoch: &'a Epoch,
    pub(super) attempt: Attempt,
    pub(super) deadline: Deadline,
    /// Until when the asker of the message waits.
    pub(super) asker_waits_until: Option<Instant>,
}

impl Execution<'_> {
    /// Runs middleware and handler, and answers a call: the message itself, or the call whose answer was deferred until this message (an
    /// answer itself) came.
    pub(super) async fn run(
        &self,
        message: Message,
        handler: &Arc<dyn ErasedHandler>,
        slot: &mut Slot,
    ) -> Outcome {
        let owed = match proxy::owed(&message, self.service.outbound.seal.as_deref()) {
            Ok(owed) => owed,
            Err(forged) => return Outcome::Hopeless(forged.into()),
        };
        let is_deferred = message.kind() != MessageKind::Request;
        let message_id = message.parts().message_id.clone();
        let asks = HandlerAsks::new(self.inbound.server_asks.clone());
        let proxy = self.proxy(&message, &asks);
        let result = self.reach(message, handler, &proxy, &asks, slot).await;
        let Some(call) = owed else {
            return result.map_or_else(Outcome::Failed, |_| Outcome::Handled);
        };
        if proxy.responder_state().is_gone() {
            // The handler of that call's answer will answer; a failure since then does not concern the caller.
            return result.map_or_else(Outcome::Failed, |_| Outcome::Handled);
        }
        let waits_until = match is_deferred {
            true => asker::waits_until(&call, None, Instant::now(), &*self.inbound.clock),
            false => self.asker_waits_until,
        };
        let (reply, outcome) = match result {
            Err(failure)
                if (is_deferred || failure.is_retryable())
                    && self.inbound.policy.retries_after(self.attempt.number, &failure) =>
            {
                return Outcome::Failed(failure);
            }
            // Reports the failure to the original caller and dead-letters the message.
            Err(failure) if is_deferred => (Some(call.fail(&failure).into()), Outcome::Failed(failure)),
            Ok(Reply::Nothing) if proxy.responder_state().is_transferred() => (None, Outcome::Handled),
            Ok(_) if is_deferred && !proxy.responder_state().is_taken() => {
                (Some(call.fail(&proxy::unanswered(&call)).into()), Outcome::Handled)
            }
            result => (reply_to(call, result), Outcome::Handled),
        };
        let Some(reply) = reply else { return outcome };
        // The reply's ids continue those of what the handler sent: both are caused by the same message.
        let ids = IdScope::new(self.inbound.ids.clone(), message_id);
        let session = &*self.epoch.session;
        let sent = self.service.outbound.send(session, reply, &ids, SendOptions::default()).await;
        match outcome_of_reply(sent, session, waits_until, &self.inbound.tally) {
            Outcome::Handled => outcome,
            other => other,
        }
    }

    /// Runs middleware and handler within the deadline, and catches a panic.
    async fn reach(
        &self,
        message: Message,
        handler: &Arc<dyn ErasedHandler>,
        proxy: &Proxy,
        asks: &HandlerAsks,
        slot: &mut Slot,
    ) -> Result<Reply, Failure> {
        let handler_call = HandlerCall {
            handler: handler.clone(),
            proxy: proxy.clone(),
            state: self.service.state.clone(),
            attempt: self.attempt,
            deadline: self.deadline,
        };
        let incoming = &self.service.incoming;
        // A handler may panic before its first await, too.
        let worked = caught::call(|| match incoming.is_empty() {
            true => handler_call.handle(message),
            false => Box::pin(Next::new(incoming.clone(), Arc::new(handler_call)).run(message)),
        });
        let worked = match worked {
            Ok(working) => {
                let working = InSlot::new(Caught::new(working), slot, || asks.needs_no_slot());
                tokio::time::timeout_at(self.deadline.0, working).await
            }
            Err(panicked) => Ok(Err(panicked)),
        };
        match worked {
            Ok(Ok(result)) => result.map_err(without_cause),
            Ok(Err(failure)) => {
                tracing::error!(failure = %shown(&failure), service = self.service.name.as_str(), "a handler panicked");
                Err(failure)
            }
            Err(_) => {
                let text = format!("the handler was not done within {}", self.inbound.limit);
                Err(Error::new(Kind::Timeout, text).into())
            }
        }
    }

    /// Returns the proxy for a handler of this message.
    fn proxy(&self, message: &Message, asks: &Arc<HandlerAsks>) -> Proxy {
        let source = match message.kind() {
            MessageKind::Notification => self.service.name.clone(),
            _ => message.destination().clone(),
        };
        let identity = Identity {
            source,
            correlation_id: Some(message.correlation_id().clone()),
            context: message.context().clone(),
            headers: message.headers().harmless(),
        };
        let scope = self.inbound.ids_of(message).child(format_smolstr!(
            "{}/{}",
            message.message_id(),
            self.service.name
        ));
        let route = Route::Delivery { epoch: self.epoch.clone(), asks: asks.clone() };
        Proxy::new(Sender::new(
            identity,
            route,
            self.service.outbound.clone(),
            self.inbound.asks.clone(),
            scope,
        ))
    }
}

/// A failure as its caller sees it. The middleware has seen its cause, and nothing needs that afterwards.
fn without_cause(mut failure: Failure) -> Failure {
    caught::discard(failure.take_cause());
    failure
}

/// Returns the reply to a call. `None` if there is nothing to send.
fn reply_to(request: Request, result: Result<Reply, Failure>) -> Option<Message> {
    match result {
        Ok(Reply::Nothing) if request.must_be_answered() => Some(request.respond(Payload::EMPTY).into()),
        Ok(Reply::Nothing) => None,
        Ok(Reply::Payload(payload)) => Some(request.respond(payload).into()),
        Ok(Reply::Response(response)) => Some(response.into()),
        Ok(Reply::Error(error)) => Some(error.into()),
        Err(failure) => Some(request.fail(&failure).into()),
    }
}

/// A handler with all that it needs, behind the middleware.
struct HandlerCall {
    handler: Arc<dyn ErasedHandler>,
    proxy: Proxy,
    state: Arc<StateMap>,
    attempt: Attempt,
    deadline: Deadline,
}

impl HandlerCall {
    /// Merges the payload into the context, once, and calls the handler.
    fn handle(&self, message: Message) -> BoxFuture<'static, Result<Reply, Failure>> {
        message.context().merge(message.payload().object());
        let handled = self.handler.call(Invocation {
            message,
            proxy: self.proxy.clone(),
            state: self.state.clone(),
            attempt: self.attempt,
            deadline: self.deadline,
        });
        if !self.proxy.responder_state().is_taken() {
            return handled;
        }
        let proxy = self.proxy.clone();
        Box::pin(async move {
            let returned = handled.await;
            proxy.responder_state().result(returned).await
        })
    }
}

impl Endpoint for HandlerCall {
    fn reach(self: Arc<Self>, message: Message) -> BoxFuture<'static, Result<Reply, Failure>> {
        self.handle(message)
    }
}
