//! The tables that exchanges route by: from a key, or from headers, to destinations.
//!
//! Each table holds bindings to destinations of any small type, and pushes the destinations of all bindings that match
//! into a buffer of the caller's. A destination that several bindings lead to may be pushed several times.

mod headers;
mod keyed;
mod topic;

pub use headers::{HeadersTable, MatchError};
pub use keyed::{DirectTable, FanoutTable};
pub use topic::TopicTable;
