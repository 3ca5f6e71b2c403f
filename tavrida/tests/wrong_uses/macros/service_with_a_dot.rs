//! An address instead of a name.
//!
//~ "hello.world" is no name of a service: it has a dot; write a word such as "billing"

use tavrida::prelude::*;

struct Hello;

#[tavrida::service("hello.world")]
impl Hello {
    #[rpc]
    async fn hello(&self, request: Request) {}
}
