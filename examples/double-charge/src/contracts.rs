//! What the services say to each other.

use serde::{Deserialize, Serialize};
use tavrida::prelude::*;

/// A customer wants something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Rpc)]
#[rpc("orders.place", reply = Placed)]
pub struct Place {
    /// The order's number, which the customer's browser made up: a second click bears the same.
    pub order: u64,
    /// What is wanted.
    pub sku: String,
    /// What it costs.
    pub cents: u64,
}

/// The order is accepted and paid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Placed {
    /// The number of the bank's receipt.
    pub receipt: u64,
}

/// Puts one piece aside for an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Rpc)]
#[rpc("stock.reserve", reply = Reserved)]
pub struct Reserve {
    /// The order.
    pub order: u64,
    /// What is wanted.
    pub sku: String,
}

/// How many are left after a reservation; none where there was none to be had.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reserved {
    /// Pieces that nobody has reserved yet.
    pub left: Option<u32>,
}

/// Takes the money for an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Rpc)]
#[rpc("payments.charge", reply = Charged)]
pub struct Charge {
    /// The order.
    pub order: u64,
    /// How much.
    pub cents: u64,
}

/// The money was taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Charged {
    /// The number of the bank's receipt.
    pub receipt: u64,
}

/// An order was accepted and paid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Event)]
#[event("orders.placed")]
pub struct OrderPlaced {
    /// The order.
    pub order: u64,
}
