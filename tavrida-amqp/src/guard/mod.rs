//! Checks each frame before lapin reads it.
//!
//! lapin (4.12.3) ends its connection at a name that is not UTF-8, and at a header frame above the negotiated size. A table that nests some
//! thousand levels deep overflows the stack of its thread, which ends the process. RabbitMQ forwards all of these, so that one publisher
//! could stop every consumer of a queue. Such a frame is replaced here by one that lapin can read: unreadable parts are left out, and the
//! header [`UNREADABLE`](tavrida::transport::UNREADABLE) says so.

mod field;
mod frames;
mod in_order;
mod header;
mod received;
mod kit;
mod method;

pub(crate) use kit::{GuardedStream, runtime};
pub(crate) use received::Received;
