//! A handler with a generic parameter.
//!
//~ a handler has no generics of its own, as nobody would say what they are: put them on the impl block

use tavrida::prelude::*;

struct Hello;

#[tavrida::service("hello")]
impl Hello {
    #[rpc]
    async fn hello<T: Send>(&self, request: Request) {}
}
