//! The abstraction of a message broker: [`Transport`] connects, a [`Session`] is one live connection, and its [`Admin`]
//! declares exchanges, queues and bindings.
//!
//! Everything above this module uses only these traits, so that a service runs unchanged on RabbitMQ, on the in-process broker, and in a
//! simulation. The terms are those of AMQP 0-9-1. A transport does not know Tavrida's messages: it sends [`Publication`]s and receives
//! [`Delivery`]s.
//!
//! # The contract
//!
//! **Connecting.** [`Transport::connect`] is one attempt; [`Transport::backoff`] sets how often, and with what delays, the core repeats it.
//!
//! **Life.** A session lives from [`Transport::connect`] until it ends, once, for one reason, which [`Session::closed`] returns to every
//! caller. An ended session stays ended and does not recover; recovery is the task of the core, with a new session. Everything that belongs
//! to an ended session fails clearly: operations with [`SessionError::Lost`], settlements with the [`ConnectionLost`], consumers with
//! [`ConsumerError::Lost`]. The scope of a broker's error stays visible: a [`BrokerError`] with [`Scope::Channel`] leaves the session and
//! all its consumers and publishes untouched; one with [`Scope::Connection`] is also the end of the session.
//!
//! **Order.** Publishes by one task, each polled before the next is created, reach the broker in that order; their confirms may come in any
//! order. Deliveries of one consumer come in queue order. An operation of [`Admin`] (declare, bind, delete ...) has taken effect, for every
//! session, when its future completes.
//!
//! **Outcomes.** [`Session::publish`] ends as routed (`Ok`), or with the reason and the publication ([`PublishError`]). `Ok` means that the
//! broker has taken responsibility: every queue that the message was routed to has it. No outcome is a guess: an unknown one is
//! [`PublishErrorKind::Ambiguous`].
//!
//! **Cancel safety.** Dropping a future of [`Admin`] leaves unknown whether the operation took effect. Dropping a [`PublishFuture`] that was
//! polled once does not take the message back; before the first poll nothing was sent. [`Consumer::next`] can be dropped at any await
//! without losing a delivery.
//!
//! **Unsettled deliveries.** A [`Delivery`] that is dropped unsettled is requeued, as are all unsettled ones when the session or its
//! consumer's channel ends. The broker marks them as redelivered.

mod admin;
mod backoff;
mod broker;
mod consumer;
mod delivery;
mod error;
mod frame;
mod publication;
mod publish;
mod reply_queue;
mod session;
mod topology;

pub use admin::Admin;
pub use backoff::Backoff;
pub use broker::Broker;
pub use consumer::{Consume, Consumer, ConsumerError, DIRECT_REPLY_TO, DeliveryStream};
pub use delivery::{AckKind, Acker, Delivery, GetMessage};
pub use error::{BrokerError, ConnectionLost, Scope, SessionError};
pub use frame::{UNREADABLE, check_arguments, check_properties};
pub use publication::{Properties, Publication};
pub use publish::{PublishError, PublishErrorKind, PublishFuture, SendNow};
pub use reply_queue::{is_direct_reply_address, is_reply_queue};
pub use session::{Session, Transport};
pub(crate) use topology::check_name;
pub use topology::{Binding, Destination, Exchange, ExchangeKind, Queue, QueueStatus};
