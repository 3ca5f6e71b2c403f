//! An unknown argument.
//!
//~ unknown `queue`: beside the name there are `emits` and `crate`

use tavrida::prelude::*;

struct Hello;

#[tavrida::service("hello", queue = "test_service")]
impl Hello {
    #[rpc]
    async fn hello(&self, request: Request) {}
}
