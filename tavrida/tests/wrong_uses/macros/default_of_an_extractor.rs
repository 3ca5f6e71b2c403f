//! A default for an extractor, which cannot be missing.
//!
//~ `Request` is an extractor and does not come from the payload: leave this out, or give the type another name
//~ an extractor does not come from the payload: write either `#[extract]`, or `#[default]` and `#[param]`

use tavrida::prelude::*;

struct Hello;

#[tavrida::service("hello")]
impl Hello {
    #[rpc]
    async fn hello(&self, #[default] request: Request) {}

    #[rpc]
    async fn world(&self, #[extract] #[default] tenant: Tenant) {}
}

struct Tenant;
