//! AMQP 0-9-1 in bytes: frames, methods and contents.
//!
//! The codec is this crate's, because a broker has to keep what client libraries drop: the order of the entries of a table, `prefetch_size`,
//! and the bytes that an error text shows. It allocates nothing for a length that is only claimed, and nests no deeper than
//! [`MAX_DEPTH`](tavrida::field::MAX_DEPTH).

mod decode;
mod encode;
mod frame;
mod properties;
mod reader;
mod shape;
mod writer;

pub(super) use decode::{Incoming, decode};
pub(super) use encode::{arrival, confirm, connection, reply, returned};
pub(super) use frame::{FRAME_OVERHEAD, Frame, FrameError, Kind, heartbeat};
pub(super) use properties::read as read_properties;
pub(super) use reader::{Malformed, Reader};
pub(super) use shape::shape;
