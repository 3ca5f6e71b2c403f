//! A misspelt attribute.
//!
//~ unknown attribute `#[rcp]`: write `#[rpc]`, `#[rpc("method")]` or, by a contract, `#[rpc(Charge)]`
//~ unknown attribute `#[subcribe]`: write `#[subscribe("publisher.event")]` or, by a contract, `#[subscribe(Low)]`

use tavrida::prelude::*;

struct Hello;

#[tavrida::service("hello")]
impl Hello {
    #[rcp]
    async fn hello(&self, request: Request) {}

    #[subcribe("chuck.kicked")]
    async fn kicked(&self, notification: Notification) {}
}
