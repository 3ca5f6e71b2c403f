//! A connection to a broker: AMQP frames on a socket.

mod convert;
mod link;
mod methods;
mod order;

pub(crate) use link::{Link, LinkError, Word};
