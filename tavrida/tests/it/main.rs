//! What the crate promises to whoever uses it, seen from outside. One binary, so that it is linked once.

mod bad_input;
mod capture;
mod contracts;
mod envelope;
mod failures;
mod golden;
mod later;
mod tidy;
mod town;
