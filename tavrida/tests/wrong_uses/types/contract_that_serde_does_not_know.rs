//! `#[derive(Rpc)]` and `#[derive(Event)]` without those of serde.
//!
//~ Charge` cannot cross the wire
//~ write `#[derive(serde::Serialize, serde::Deserialize)]` above
//~ Receipt` cannot cross the wire
//~ Low` cannot cross the wire

use serde::{Deserialize, Serialize};

#[derive(tavrida::Rpc)]
#[rpc("billing.charge")]
pub struct Charge {
    pub cents: u64,
}

#[derive(Serialize, Deserialize, tavrida::Rpc)]
#[rpc("billing.refund", reply = Receipt)]
pub struct Refund {
    pub cents: u64,
}

pub struct Receipt;

#[derive(tavrida::Event)]
#[event("stock.low")]
pub struct Low {
    pub sku: String,
}
