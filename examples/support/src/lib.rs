//! What the examples share: choosing a broker, and recording what happens.

mod broker;
mod story;

pub use broker::{Broker, broker_of, broker_of_arguments};
pub use story::Story;
