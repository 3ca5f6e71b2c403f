//! What the crate promises to whoever uses it, seen from outside. One binary, so that it is linked once.

mod capture;
mod envelope;
mod golden;
mod tidy;
