//! Middleware for one method, and for an unknown kind.
//!
//~ middleware sees all messages: write `#[incoming]`, and look at the message's kind inside
//~ write `#[outgoing]` or, for the kinds that are named, `#[outgoing(request, notification)]`

use tavrida::prelude::*;

struct Hello;

#[tavrida::service("hello")]
impl Hello {
    #[rpc]
    async fn hello(&self) {}

    #[incoming("hello.hello")]
    async fn authorise(&self, message: Message, next: tavrida::middleware::Next) {}

    #[outgoing(calls)]
    async fn stamp(&self, message: Message) {}
}

use tavrida::message::Message;
