//! A reply of a type that does not become JSON.
//!
//~ a handler cannot return `
//~ a reply is (), a value that implements serde::Serialize, a Response, an ErrorReply, or an Option or Result of these

use tavrida::prelude::*;

struct Hello;

#[tavrida::service("hello")]
impl Hello {
    #[rpc]
    async fn hello(&self) -> Sum {
        todo!()
    }

    #[rpc]
    async fn world(&self) -> Result<Sum> {
        todo!()
    }
}

pub struct Sum {
    pub sum: i64,
}
