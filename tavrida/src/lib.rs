//! Services that talk by messages.
#![warn(missing_docs)]
