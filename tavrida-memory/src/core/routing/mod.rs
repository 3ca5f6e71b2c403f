//! The routing tables of exchanges: from a key, or from headers, to destinations.
//!
//! Each table holds bindings to destinations of any small type, and pushes the destinations of all matching bindings into a buffer of the
//! caller. A destination with several bindings may be pushed several times.

mod headers;
mod keyed;
mod topic;

pub use headers::{Comparison, HeadersTable, MatchError};
pub use keyed::{DirectTable, FanoutTable};
pub use topic::TopicTable;
