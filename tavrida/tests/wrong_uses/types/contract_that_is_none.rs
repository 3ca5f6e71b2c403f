//! A type without `#[derive(Rpc)]` in `#[rpc(...)]`.
//!
//~ Charge` is no contract of a method
//~ write `#[derive(serde::Serialize, serde::Deserialize, tavrida::Rpc)]` and `#[rpc("service.method", reply = ..., error = ...)]` above
//~ is no handler of this contract

use tavrida::prelude::*;

struct Hello;

#[tavrida::service("hello")]
impl Hello {
    #[rpc(Charge)]
    async fn charge(&self, new: Charge) {}
}

#[derive(serde::Serialize, serde::Deserialize)]
pub struct Charge {
    pub cents: u64,
}
