//! A parameter of a type that does not come from JSON.
//!
//~ Sum` is neither an extractor nor a parameter
//~ a parameter from the payload: write `#[derive(serde::Deserialize)]` above
//~ an extractor of your own: implement `tavrida::handler::Extract` for it, and write `#[extract]` before the argument
//~ is no handler

use tavrida::prelude::*;

struct Hello;

#[tavrida::service("hello")]
impl Hello {
    #[rpc]
    async fn hello(&self, sum: Sum) {}
}

pub struct Sum {
    pub sum: i64,
}
