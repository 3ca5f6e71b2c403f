//! Unknown keys, and a second attribute.
//!
//~ unknown `response`: there are `reply`, `error`, `class`, `code` and `crate`
//~ unknown `reply`: beside the topic there is `crate` only
//~ a second `#[rpc(...)]`: one says it all

use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, tavrida::Rpc)]
#[rpc("billing.charge", response = Receipt)]
struct Charge {
    cents: u64,
}

#[derive(Serialize, Deserialize, tavrida::Event)]
#[event("stock.low", reply = Receipt)]
struct Low {
    sku: String,
}

#[derive(Serialize, Deserialize, tavrida::Rpc)]
#[rpc("billing.refund")]
#[rpc("billing.refund")]
struct Refund {
    cents: u64,
}
