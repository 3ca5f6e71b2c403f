//! The broker itself, without tasks, clock, I/O or locks.
//!
//! A [`Broker`] is a plain value that a shell drives:
//!
//! 1. The shell passes each event to [`Broker::apply`]: a [`Command`], with the time at which it happens ([`Now`]). Most commands are a
//!    client's [`Method`] on a channel, as AMQP defines them.
//! 2. It reads the broker's answers from the [`Effects`] that it passed in: replies, returns, confirms, closes.
//! 3. What the broker sends on its own (deliveries, and cancels of consumers) goes into an outbox, one for each channel;
//!    [`Effect::Arrived`] says that an outbox is no longer empty. [`Broker::take`] lets its head arrive; the shell chooses when and in
//!    which order the heads of different channels arrive, as the network does.
//! 4. It calls again at [`Broker::next_timeout`], with [`Command::Tick`] if nothing else happens.
//!
//! The shell numbers connections and channels ([`ConnectionId`], [`ChannelId`]). The same commands at the same times have the same effects:
//! generated names come from a seed in the [`Config`], and hash order is not visible.
//!
//! ```
//! use std::sync::Arc;
//! use tavrida::transport::Publication;
//! use tavrida_memory::core::{Broker, Command, Config, ConnectionId, Effect, Effects, Method, Now, QueueDeclare, MethodReply};
//! use tavrida::field::ShortString;
//!
//! let mut broker = Broker::new(Config::default());
//! let mut effects = Effects::new();
//! let connection = ConnectionId(1);
//! let channel = connection.channel(1);
//! let name = ShortString::from_static("orders");
//! broker.apply(Now::default(), Command::Connect { connection, options: Default::default() }, &mut effects);
//! for method in [
//!     Method::ChannelOpen,
//!     Method::ConfirmSelect { nowait: false },
//!     Method::QueueDeclare(QueueDeclare { queue: name.clone(), ..Default::default() }),
//!     Method::BasicPublish {
//!         publication: Arc::new(Publication::new(ShortString::default(), name.clone(), "one")),
//!         immediate: false,
//!     },
//! ] {
//!     broker.apply(Now::default(), Command::Method { channel, method }, &mut effects);
//! }
//! assert_eq!(effects.as_slice().last(), Some(&Effect::Confirm { channel, delivery_tag: 1, ack: true }));
//!
//! effects.clear();
//! let get = Method::BasicGet { queue: name, no_ack: true };
//! broker.apply(Now::default(), Command::Method { channel, method: get }, &mut effects);
//! let Effect::Reply { reply: MethodReply::BasicGetOk(got), .. } = &effects.as_slice()[0] else { panic!() };
//! assert_eq!(&got.publication.body[..], b"one");
//! ```
//!
//! # Parts
//!
//! | module | what it holds or does | what it does not see |
//! |---|---|---|
//! | `keys` | the keys of queues, exchanges, channels and consumers: parts that refer to each other know only these | |
//! | `message` | a message with data that only the broker sees: routing keys, deaths, what is refused | queues |
//! | `queue` | one queue: its settings, its ready messages in order, its service queue | who delivers |
//! | `node` | the time, the version of RabbitMQ that is followed, the alarm | |
//! | `topology` | exchanges, bindings, queues, policies: declares, binds, routes, expires, dead-letters, drops over a limit | clients |
//! | `clients` | connections, channels, consumers: credit, unsettled deliveries, transactions, outboxes | the topology |
//! | `broker` | the three parts together, and what a shell reads | |
//!
//! A queue is passed to a method of `clients` that needs one. Only four modules see all parts: `apply` (time, commands, operators),
//! `methods` (the AMQP methods, by class), `publish` (into queues, with dead letters), and `deliver` (out of queues, with settlements);
//! `lifecycle` ends what they began.
//!
//! # The order of confirms
//!
//! RabbitMQ guarantees no order (R93). Here each publish is confirmed separately, in the order of the publishes and within the same
//! `apply`: first the return, if there is one, then the confirm; deliveries to consumers were put into their outboxes before.

mod apply;
mod broker;
mod clients;
mod command;
mod deliver;
mod effect;
pub(crate) mod erlang;
mod errors;
mod hashing;
mod ids;
mod keys;
mod lifecycle;
mod message;
mod method;
mod methods;
mod names;
mod node;
#[cfg(feature = "port")]
mod permissions;
mod publish;
mod queue;
pub mod routing;
mod settlement;
mod shared;
mod snapshot;
mod topology;

pub use broker::{Broker, Config};
pub(crate) use clients::unacked::Pending;
pub use command::{Command, ConnectionOptions, Eviction, Operator};
pub use effect::{Arrival, CloseReason, Delivered, Effect, Effects, Got, MethodReply, Sent};
#[cfg(feature = "port")]
pub(crate) use errors::{Code, shorten};
pub use ids::{ChannelId, ConnectionId, Now};
pub use method::{BasicConsume, ExchangeBind, ExchangeDeclare, Method, QueueBind, QueueDeclare};
#[cfg(feature = "port")]
pub(crate) use permissions::Permissions;
pub use snapshot::{
    BindingView, ChannelView, ConnectionView, ConsumerView, ExchangeView, QueueView, Snapshot,
};
pub use tavrida_behaviour::{Behaviour, RabbitMq};
pub use topology::policy::{ApplyTo, Definition, NamePattern, Policy};
