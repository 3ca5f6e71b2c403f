//! Parameters that hold a borrow, or no type.
//!
//~ a parameter owns what it holds: write `String`
//~ a parameter has a type that can be named: write which

use tavrida::prelude::*;

struct Hello;

#[tavrida::service("hello")]
impl Hello {
    #[rpc]
    async fn hello(&self, text: &str) {}

    #[rpc]
    async fn world(&self, number: impl Into<i64>) {}
}
