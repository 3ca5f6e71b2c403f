//! AMQP field values: the types that headers, arguments and properties are made of.
//!
//! Strings share their bytes ([`ShortString`] and [`Value::LongString`] are views into a reference-counted
//! buffer), so that cloning a message copies pointers, not text. A [`Table`] is a small vector: for the
//! seven to ten headers of a message a linear search beats every map.
//!
//! Source: AMQP 0-9-1, section 4.2.5.5, with RabbitMQ's letters for the types
//! (<https://www.rabbitmq.com/amqp-0-9-1-errata#section_3>).

pub(crate) mod serial;
mod short_string;
mod table;
mod value;

pub use short_string::{ShortString, TooLong};
pub use table::Table;
pub use value::{Decimal, Value};
