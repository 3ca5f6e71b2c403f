//! The extractors of this library.

use std::ops::Deref;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::{Attempt, Deadline, Extract, Invocation, Site};
use crate::contract::Wire;
use crate::message::{
    Context, ErrorReply, Failure, Headers, Message, MessageKind, Notification, Request, Response,
};
use crate::proxy::{Proxy, Responder};

/// Accepts only handlers of this kind of message.
fn only(kind: MessageKind, site: &Site<'_>) -> Result<(), String> {
    if site.kind() == kind {
        return Ok(());
    }
    Err(format!("it takes a {kind}, and will only ever get a {}", site.kind()))
}

fn typed<T>(
    invocation: &Invocation,
    convert: impl FnOnce(Message) -> Result<T, Message>,
) -> Result<T, Failure> {
    convert(invocation.message.clone()).map_err(|other| {
        Failure::new("tavrida.exceptions.IncorrectMessage", format!("got a {}", other.kind()))
    })
}

impl Extract for Request {
    fn extract(invocation: &Invocation) -> Result<Self, Failure> {
        typed(invocation, Message::into_request)
    }

    fn check(site: &Site<'_>) -> Result<(), String> {
        only(MessageKind::Request, site)
    }
}

impl Extract for Response {
    fn extract(invocation: &Invocation) -> Result<Self, Failure> {
        typed(invocation, Message::into_response)
    }

    fn check(site: &Site<'_>) -> Result<(), String> {
        only(MessageKind::Response, site)
    }
}

impl Extract for ErrorReply {
    fn extract(invocation: &Invocation) -> Result<Self, Failure> {
        typed(invocation, Message::into_error)
    }

    fn check(site: &Site<'_>) -> Result<(), String> {
        only(MessageKind::Error, site)
    }
}

impl Extract for Notification {
    fn extract(invocation: &Invocation) -> Result<Self, Failure> {
        typed(invocation, Message::into_notification)
    }

    fn check(site: &Site<'_>) -> Result<(), String> {
        only(MessageKind::Notification, site)
    }
}

impl Extract for Message {
    fn extract(invocation: &Invocation) -> Result<Self, Failure> {
        Ok(invocation.message.clone())
    }
}

impl Extract for Proxy {
    fn extract(invocation: &Invocation) -> Result<Self, Failure> {
        Ok(invocation.proxy.clone())
    }
}

impl<C: 'static, S: Wire> Extract for Responder<C, S> {
    fn extract(invocation: &Invocation) -> Result<Self, Failure> {
        Self::take(&invocation.message, &invocation.proxy)
    }

    fn check(site: &Site<'_>) -> Result<(), String> {
        match site.kind() {
            MessageKind::Notification => {
                Err("it takes a Responder, and a notification is never answered".to_owned())
            }
            MessageKind::Request if !Self::needs_no_state() => Err(format!(
                "it takes a Responder with a state of type {}, which a request does not bring: take `Responder<C>`, and give it the state \
                 with `.keeping(...)`",
                std::any::type_name::<S>()
            )),
            _ => Ok(()),
        }
    }
}

impl Extract for Context {
    fn extract(invocation: &Invocation) -> Result<Self, Failure> {
        Ok(invocation.message.context().clone())
    }
}

impl Extract for Headers {
    fn extract(invocation: &Invocation) -> Result<Self, Failure> {
        Ok(invocation.message.headers().clone())
    }
}

/// The whole payload as a type. Unknown members are ignored.
#[derive(Debug, Clone, PartialEq)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned + Send + 'static> Extract for Json<T> {
    fn extract(invocation: &Invocation) -> Result<Self, Failure> {
        Ok(Self(invocation.message.payload().to()?))
    }
}

/// A state of the service, shared by all its handlers. See [`Service::state`](crate::Service::state).
#[derive(Debug)]
pub struct State<T>(pub Arc<T>);

impl<T> Clone for State<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Deref for State<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Send + Sync + 'static> Extract for State<T> {
    fn extract(invocation: &Invocation) -> Result<Self, Failure> {
        let state = invocation.state();
        state.map(Self).ok_or_else(|| Failure::new("tavrida.exceptions.Build", no_state::<T>()))
    }

    fn check(site: &Site<'_>) -> Result<(), String> {
        if site.has_state::<T>() { Ok(()) } else { Err(no_state::<T>()) }
    }
}

fn no_state<T>() -> String {
    format!("the service has no state of type {}; give it with `.state(...)`", std::any::type_name::<T>())
}

impl Extract for Attempt {
    fn extract(invocation: &Invocation) -> Result<Self, Failure> {
        Ok(invocation.attempt)
    }
}

impl Extract for Deadline {
    fn extract(invocation: &Invocation) -> Result<Self, Failure> {
        Ok(invocation.deadline)
    }
}
