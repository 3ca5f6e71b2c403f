//! No name.
//!
//~ name the service: `#[tavrida::service("test_hello")]`

use tavrida::prelude::*;

struct Hello;

#[tavrida::service]
impl Hello {
    #[rpc]
    async fn hello(&self, request: Request) {}
}
