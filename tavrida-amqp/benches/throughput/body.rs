//! Typed bodies: an order of 203 bytes of JSON.

use serde::{Deserialize, Serialize};
use tavrida::contract::{NoError, Rpc};

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Order {
    id: u64,
    customer: String,
    items: Vec<Item>,
    note: String,
}

#[derive(Clone, Serialize, Deserialize)]
struct Item {
    sku: String,
    count: u32,
}

impl Rpc for Order {
    const ENTRY_POINT: &'static str = "bench.work";
    type Reply = ();
    type Error = NoError;
}

/// An order that is returned unchanged.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Echo(pub(crate) Order);

impl Rpc for Echo {
    const ENTRY_POINT: &'static str = "bench.echo";
    type Reply = Order;
    type Error = NoError;
}

/// The relevant part of a body in the wire format.
#[derive(Deserialize)]
pub(crate) struct Body {
    pub(crate) payload: Order,
}

pub(crate) fn order() -> Order {
    let item = |sku: &str, count| Item { sku: sku.to_owned(), count };
    Order {
        id: 7_000_123,
        customer: "Ann Example of Example Street".into(),
        items: vec![item("a-1", 2), item("b-22", 1), item("c-333", 12)],
        note: "leave it at the door, please, and ring the bell twice".into(),
    }
}
