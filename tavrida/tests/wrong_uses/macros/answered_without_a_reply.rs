//! No answer.
//!
//~ only a `Reply` makes an `Answered`: take one, `reply: Reply`

use tavrida::prelude::*;

struct Hello;

#[tavrida::service("hello")]
impl Hello {
    #[rpc]
    async fn hello(&self) -> tavrida::proxy::Answered {
        todo!()
    }
}
