//! A handler that consumes the service.
//!
//~ a handler is called many times: take `&self`

use tavrida::prelude::*;

struct Hello;

#[tavrida::service("hello")]
impl Hello {
    #[rpc]
    async fn hello(self, request: Request) {}
}
