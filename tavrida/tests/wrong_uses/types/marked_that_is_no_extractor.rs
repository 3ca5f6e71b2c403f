//! `#[extract]` on a type that is not an extractor.
//!
//~ `Tenant` is no extractor
//~ implement `tavrida::handler::Extract` for it; or leave `#[extract]` out if it comes from the payload by name
//~ is no handler

use tavrida::prelude::*;

struct Hello;

#[tavrida::service("hello")]
impl Hello {
    #[rpc]
    async fn hello(&self, #[extract] tenant: Tenant) {}
}

#[derive(serde::Deserialize)]
pub struct Tenant;
