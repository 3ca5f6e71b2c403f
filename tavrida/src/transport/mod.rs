//! What carries the bytes: [`Transport`] connects, a [`Session`] is one live connection.
//!
//! Everything above this room knows only these traits, so that a service runs unchanged on RabbitMQ, on the
//! in-process broker, and in a simulation. The words are AMQP 0-9-1's. A transport never sees a
//! message of Tavrida's: it moves [`Publication`]s in and [`Delivery`]s out.
//!
//! # The contract
//!
//! **Connecting.** [`Transport::connect`] is one attempt; [`Transport::backoff`] says how often, and with what delays,
//! the core shall make one.
//!
//! **Life.** A session lives from [`Transport::connect`] until it dies, once, for one reason:
//! [`Session::closed`] tells it to whoever asks, as often as they ask. A dead session stays dead, and it never heals
//! itself; recovery is the work of the core, over a new session. Everything that belongs to a dead session
//! fails clearly: operations with [`SessionError::Lost`], settlements with the [`ConnectionLost`], consumers with
//! [`ConsumerError::Lost`]. An adapter's own error scopes stay visible: a [`BrokerError`] whose scope is
//! [`Scope::Channel`] leaves the session and all its consumers and publishes untouched; one whose scope is
//! [`Scope::Connection`] is also the session's end.
//!
//! **Order.** Publishes by one task, each polled before the next is made, reach the broker in that order; their
//! confirms may come in any. Deliveries of one consumer come in queue order. Management (declare, bind,
//! delete ...) has taken effect, for every session, when its future is done.
//!
//! **Outcomes.** [`Session::publish`] ends as routed (`Ok`) or says why not, and gives the publication back
//! ([`PublishError`]). `Ok` means that the broker has taken responsibility: every queue that the message was routed to
//! has it. No outcome is a guess: what is not known is [`PublishErrorKind::Ambiguous`].
//!
//! **Cancel safety.** Dropping a management future leaves open whether the operation took place. Dropping a
//! [`PublishFuture`] that was polled once does not take the message back; before the first poll nothing
//! was sent. [`Consumer::next`] can be dropped at any await without losing a delivery.
//!
//! **Unsettled deliveries.** A [`Delivery`] that is dropped without a verdict goes back to its queue, as do all
//! unsettled ones when the session or its consumer's channel dies. The broker marks those redelivered.

mod backoff;
mod consumer;
mod delivery;
mod error;
mod publication;
mod publish;
mod session;
mod topology;

pub use backoff::Backoff;
pub use consumer::{Consume, Consumer, ConsumerError, DIRECT_REPLY_TO, DeliveryStream};
pub use delivery::{AckKind, Acker, Delivery, GetMessage};
pub use error::{BrokerError, ConnectionLost, Scope, SessionError};
pub use publication::{Properties, Publication};
pub use publish::{PublishError, PublishErrorKind, PublishFuture, SendNow};
pub use session::{Session, Transport};
pub use topology::{Binding, Destination, Exchange, ExchangeKind, Queue, QueueStatus};
