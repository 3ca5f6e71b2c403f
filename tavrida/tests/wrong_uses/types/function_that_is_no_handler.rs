//! Functions that the builder cannot take.
//!
//~ is no handler
//~ arguments that come from the payload by name are given with `params(["name", ...], function)`

use tavrida::prelude::*;

fn not_async(_request: Request) {}

async fn no_names(_number: i64) {}

async fn two(_a: i64, _b: i64) {}

pub fn service() -> Service {
    let service = Service::new("hello").rpc("not_async", not_async);
    let service = service.rpc("no_names", no_names);
    service.rpc("two", params(["a", "b", "c"], two))
}
