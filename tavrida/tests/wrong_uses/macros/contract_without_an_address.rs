//! Contracts without an address.
//!
//~ `Charge` does not say what it stands for: write `#[rpc("service.method", reply = Reply, error = Error)]` above it
//~ `Low` does not say what it stands for: write `#[event("publisher.event")]` above it

use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, tavrida::Rpc)]
struct Charge {
    cents: u64,
}

#[derive(Serialize, Deserialize, tavrida::Event)]
struct Low {
    sku: String,
}
