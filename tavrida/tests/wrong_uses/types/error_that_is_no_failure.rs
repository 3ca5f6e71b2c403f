//! An error of a type that does not convert to a failure.
//!
//~ `std::io::Error` cannot be the error of a handler
//~ return `tavrida::prelude::Result<T>`, whose error every `std::error::Error` becomes with `?`; or implement `tavrida::message::IntoFailure` for `std::io::Error`

use tavrida::prelude::*;

struct Hello;

#[tavrida::service("hello")]
impl Hello {
    #[rpc]
    async fn hello(&self) -> Result<Sum, std::io::Error> {
        todo!()
    }
}

#[derive(serde::Serialize)]
pub struct Sum {
    pub sum: i64,
}
