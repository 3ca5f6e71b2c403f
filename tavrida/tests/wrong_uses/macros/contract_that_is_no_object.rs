//! Types whose values are not JSON objects.
//!
//~ a payload is a JSON object, and this is an array: give the fields names
//~ a payload is a JSON object, and this is a plain value: give the field a name
//~ a union cannot cross the wire: make it a struct with named fields

use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, tavrida::Rpc)]
#[rpc("calc.sum")]
struct Sum(i64, i64);

#[derive(Serialize, Deserialize, tavrida::Event)]
#[event("stock.low")]
struct Low(String);

#[derive(tavrida::Event)]
#[event("stock.high")]
union High {
    one: u8,
    other: i8,
}
