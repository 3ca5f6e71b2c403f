//! Services that talk by messages.

#[cfg(test)]
mod seeded;

pub mod field;
pub mod entry_point;
pub mod error;
pub mod id;
pub mod time;
pub mod json;
pub mod message;
pub mod transport;
pub mod envelope;

pub use entry_point::EntryPoint;
pub use error::Error;
