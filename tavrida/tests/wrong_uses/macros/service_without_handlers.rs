//! No method is marked.
//!
//~ the service `hello` has no handler: mark one with `#[rpc]`, `#[rpc("method")]` or, by a contract, `#[rpc(Charge)]`

use tavrida::prelude::*;

struct Hello;

#[tavrida::service("hello")]
impl Hello {
    async fn hello(&self, request: Request) {}
}
