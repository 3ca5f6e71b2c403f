//! The same request twice, and the same response.
//!
//~ a second handler of the requests of `hello.hello`, beside `hello`: one method handles them all
//~ a second handler of the responses of `world.world`, beside `world`: one method handles them all

use tavrida::prelude::*;

struct Hello;

#[tavrida::service("hello")]
impl Hello {
    #[rpc]
    async fn hello(&self, request: Request) {}

    #[rpc("hello.hello")]
    async fn hello_again(&self, request: Request) {}

    #[response("world.world")]
    async fn world(&self, response: Response) {}

    #[response("world.world")]
    async fn world_again(&self, response: Response) {}
}
