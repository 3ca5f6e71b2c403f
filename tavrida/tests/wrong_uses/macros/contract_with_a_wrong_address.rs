//! Invalid addresses.
//!
//~ "billing" is no address of a method: it has no dot; write #[rpc("service.method", reply = Reply, error = Error)]
//~ "stock.low.very" is no address of a method: it has more than one dot; write #[event("publisher.event")]
//~ the address comes first, as a text: `#[rpc("service.method", reply = Reply, error = Error)]`
//~ write `#[event("publisher.event")]`

use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, tavrida::Rpc)]
#[rpc("billing")]
struct Charge {
    cents: u64,
}

#[derive(Serialize, Deserialize, tavrida::Event)]
#[event("stock.low.very")]
struct Low {
    sku: String,
}

#[derive(Serialize, Deserialize, tavrida::Rpc)]
#[rpc(reply = Receipt)]
struct Refund {
    cents: u64,
}

#[derive(Serialize, Deserialize, tavrida::Event)]
#[event = "stock.high"]
struct High {
    sku: String,
}
