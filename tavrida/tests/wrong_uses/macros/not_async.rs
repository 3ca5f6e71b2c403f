//! A handler that is not an async fn.
//!
//~ a handler is async: write `async fn hello`

use tavrida::prelude::*;

struct Hello;

#[tavrida::service("hello")]
impl Hello {
    #[rpc]
    fn hello(&self, request: Request) {}
}
