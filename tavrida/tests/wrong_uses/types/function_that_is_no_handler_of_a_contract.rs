//! Functions that the builder cannot take for a contract.
//!
//~ is no handler of this contract
//~ the last argument is what the contract hands over: of `rpc_of::<C, _>` the request `C`, of `on_response_of` its `Reply`

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
    let service = Service::new("billing").rpc_of::<Charge, _>(takes_nothing);
    service.on_response_of::<Charge, _>(takes_the_request)
}
