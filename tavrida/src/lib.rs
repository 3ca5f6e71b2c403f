//! Services that talk by messages.

pub mod field;
pub mod transport;
