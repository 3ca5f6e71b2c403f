//! AMQP field values: the types of headers, arguments and properties.
//!
//! Short text is stored inline, longer text is shared ([`ShortString`] and [`LongString`]), so that most names and ids of a message cost no
//! allocation, and clones copy no text. A [`Table`] is a small vector: for the seven to ten headers of a message a linear search is faster
//! than a map.
//!
//! Source: AMQP 0-9-1, section 4.2.5.5, with RabbitMQ's letters for the types
//! (<https://www.rabbitmq.com/amqp-0-9-1-errata#section_3>).

mod long_string;
pub(crate) mod serial;
mod short_string;
mod table;
mod value;

pub use long_string::LongString;
pub use short_string::{ShortString, TooLongError};
pub use table::Table;
pub use value::{Decimal, MAX_DEPTH, Value};
