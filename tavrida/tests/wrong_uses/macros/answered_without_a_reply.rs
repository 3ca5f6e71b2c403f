//! No answer.
//!
//~ only a `Responder` makes an `Answered`: take one, `reply: Responder`

use tavrida::prelude::*;

struct Hello;

#[tavrida::service("hello")]
impl Hello {
    #[rpc]
    async fn hello(&self) -> tavrida::proxy::Answered {
        todo!()
    }
}
