//! A pattern where the payload needs a name.
//!
//~ a parameter from the payload is known by its name: write a plain name, or give one with `#[param("name")]`; or, if it is an extractor, write `#[extract]`

use tavrida::prelude::*;

struct Hello;

#[tavrida::service("hello")]
impl Hello {
    #[rpc]
    async fn hello(&self, (a, b): (i64, i64)) {}
}
