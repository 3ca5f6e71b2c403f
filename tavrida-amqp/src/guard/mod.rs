//! Looks at each frame before lapin does.
//!
//! lapin (4.12.3) ends its connection at a name that is not UTF-8, and at a header frame above the negotiated size; a table that nests
//! some thousand levels deep overflows the stack of its thread, which ends the process. RabbitMQ passes all of these on, so one
//! publisher could stop every consumer of a queue. Here such a frame is replaced by one that lapin can read: what is unreadable is left
//! out, and the header [`UNREADABLE`](tavrida::transport::UNREADABLE) says so.

mod field;
mod frames;
mod header;
mod kit;
mod method;

pub(crate) use kit::{GuardedStream, runtime};
