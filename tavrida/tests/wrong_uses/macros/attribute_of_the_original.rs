//! The decorators' names.
//!
//~ unknown attribute `#[rpc_method]`: write `#[rpc]`
//~ unknown attribute `#[rpc_response_method]`: write `#[response("service.method")]`
//~ unknown attribute `#[rpc_error_method]`: write `#[error("service.method")]`
//~ unknown attribute `#[subscription_method]`: write `#[subscribe("publisher.event")]`

use tavrida::prelude::*;

struct Hello;

#[tavrida::service("hello")]
impl Hello {
    #[rpc_method(service = "hello", method = "hello")]
    async fn hello(&self, request: Request) {}

    #[rpc_response_method(service = "world", method = "world")]
    async fn world(&self, response: Response) {}

    #[rpc_error_method(service = "world", method = "world")]
    async fn world_failed(&self, error: ErrorReply) {}

    #[subscription_method(service = "chuck", method = "kicked")]
    async fn kicked(&self, notification: Notification) {}
}
