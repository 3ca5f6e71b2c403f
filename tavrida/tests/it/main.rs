//! What the crate promises to whoever uses it, seen from outside. One binary, so that it is linked once.

mod around;
mod asks;
mod bad_input;
mod building;
mod capture;
mod conversation;
mod envelope;
mod failures;
mod golden;
mod life;
mod logs;
mod signals;
mod tidy;
mod town;
