//! Misspelt attributes of arguments.
//!
//~ unknown attribute `#[extractor]`: did you mean `#[extract]`?
//~ unknown attribute `#[defalt]`: did you mean `#[default]`?
//~ write `#[param("name")]` with the name in the payload

use tavrida::prelude::*;

struct Hello;

#[tavrida::service("hello")]
impl Hello {
    #[rpc]
    async fn hello(&self, #[extractor] tenant: Tenant) {}

    #[rpc]
    async fn world(&self, #[defalt] number: i64) {}

    #[rpc]
    async fn sun(&self, #[param] number: i64) {}
}

struct Tenant;
