//! An answer to a notification.
//!
//~ a notification is never answered: leave the `Responder` out

use tavrida::prelude::*;

struct Hello;

#[tavrida::service("hello")]
impl Hello {
    #[subscribe("chuck.kicked")]
    async fn kicked(&self, reply: tavrida::proxy::Responder) {}
}
