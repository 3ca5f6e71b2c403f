//! Two answers.
//!
//~ a handler that takes a `Responder` answers with it, and once: return `Result<Answered>`, or `Result<()>`

use tavrida::prelude::*;

struct Hello;

#[tavrida::service("hello")]
impl Hello {
    #[rpc]
    async fn hello(&self, reply: tavrida::proxy::Responder) -> Result<Response> {
        todo!()
    }
}
