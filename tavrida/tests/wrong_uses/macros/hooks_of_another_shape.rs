//! Middleware without the required arguments.
//!
//~ incoming middleware is `async fn authorise(&self, message: Message, next: Next) -> Result<Reply>`, with `tavrida::message::{Message, Reply}` and `tavrida::middleware::Next`
//~ outgoing middleware is `async fn stamp(&self, message: Message) -> Result<Message>`, with `tavrida::message::Message`

use tavrida::prelude::*;

struct Hello;

#[tavrida::service("hello")]
impl Hello {
    #[rpc]
    async fn hello(&self) {}

    #[incoming]
    async fn authorise(&self, message: tavrida::message::Message) {}

    #[outgoing]
    async fn stamp(&self) {}
}
