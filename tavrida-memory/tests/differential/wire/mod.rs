//! A connection to a real RabbitMQ: AMQP frames on a socket.

mod convert;
mod link;
mod methods;

pub(crate) use link::{Link, LinkError, Word};
