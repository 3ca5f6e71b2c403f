//! A handler that takes `&mut self`.
//!
//~ handlers run side by side: take `&self`, and put what changes behind a lock, such as a `Mutex`

use tavrida::prelude::*;

struct Hello;

#[tavrida::service("hello")]
impl Hello {
    #[rpc]
    async fn hello(&mut self, request: Request) {}
}
