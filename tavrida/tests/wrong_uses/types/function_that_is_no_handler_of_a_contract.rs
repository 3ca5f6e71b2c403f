//! Functions that the builder cannot take for a contract.
//!
//~ is no handler of this contract
//~ the last argument says which contract it is: for `handle` it is the request `C`, for `handle_answer` an `Answer<C>`

use tavrida::prelude::*;

#[derive(serde::Serialize, serde::Deserialize, tavrida::Rpc)]
#[rpc("billing.charge", reply = Receipt)]
pub struct Charge {
    pub cents: u64,
}

#[derive(serde::Serialize, serde::Deserialize)]
pub struct Receipt;

async fn takes_nothing() -> Receipt {
    Receipt
}

async fn takes_the_request(_charge: Charge) {}

pub fn service() -> Service {
    let service = Service::new("billing").handle(takes_nothing);
    service.handle_answer(takes_the_request)
}
