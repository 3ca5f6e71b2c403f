//! Messages that the handler never gets.
//!
//~ a `#[rpc]` handler never gets a `Response`: take `Request`
//~ a `#[response]` handler never gets a `Request`: take `Response`
//~ a `#[error]` handler never gets a `Response`: take `ErrorReply`
//~ a `#[subscribe]` handler never gets a `Request`: take `Notification`

use tavrida::prelude::*;

struct Hello;

#[tavrida::service("hello")]
impl Hello {
    #[rpc]
    async fn hello(&self, response: Response) {}

    #[response("world.world")]
    async fn world(&self, request: Request) {}

    #[error("world.world")]
    async fn world_failed(&self, response: Response) {}

    #[subscribe("chuck.kicked")]
    async fn kicked(&self, request: Request) {}
}
