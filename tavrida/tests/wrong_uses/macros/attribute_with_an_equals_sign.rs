//! Another shape of the attribute.
//!
//~ write `#[rpc]`, `#[rpc("method")]` or, by a contract, `#[rpc(Charge)]`

use tavrida::prelude::*;

struct Hello;

#[tavrida::service("hello")]
impl Hello {
    #[rpc = "hello"]
    async fn hello(&self, request: Request) {}
}
