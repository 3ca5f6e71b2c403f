//! What the examples share: choosing a broker, running servers, and recording what happens.

mod broker;
mod running;
mod story;

/// Any error: an example stops at the first.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

pub use broker::{Broker, broker_of, broker_of_arguments};
pub use running::Running;
pub use story::Story;
