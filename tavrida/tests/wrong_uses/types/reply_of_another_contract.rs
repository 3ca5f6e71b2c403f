//! Types that differ from the contract.
//!
//~ a handler of this contract cannot return `std::result::Result<
//~ return the contract's `Reply`, or a `Result` of it whose error is the contract's `Error` or `tavrida::message::Failure`

use tavrida::prelude::*;

struct Hello;

#[tavrida::service("hello")]
impl Hello {
    #[rpc(Charge)]
    async fn charge(&self, new: Charge) -> Result<Other> {
        todo!()
    }
}

#[derive(serde::Serialize, serde::Deserialize, tavrida::Rpc)]
#[rpc("billing.charge", reply = Receipt)]
pub struct Charge {
    pub cents: u64,
}

#[derive(serde::Serialize, serde::Deserialize)]
pub struct Receipt;

#[derive(serde::Serialize, serde::Deserialize)]
pub struct Other;
