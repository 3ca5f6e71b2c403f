//! A handler that is no async fn.
//!
//~ a handler is async: write `async fn hello`

use tavrida::prelude::*;

struct Hello;

#[tavrida::service("hello")]
impl Hello {
    #[rpc]
    fn hello(&self, request: Request) {}
}
