//! The way to a real RabbitMQ: AMQP frames on a socket, nothing in between.

mod convert;
mod link;
mod methods;

pub(crate) use link::{Link, LinkError, Word};
