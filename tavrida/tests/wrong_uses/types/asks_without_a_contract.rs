//! Calls of types that are not contracts.
//!
//~ Charge` is no contract of a method

use tavrida::prelude::*;

#[derive(serde::Serialize, serde::Deserialize)]
pub struct Charge {
    pub cents: u64,
}

pub async fn ask(proxy: Proxy) {
    let _ = proxy.ask(Charge { cents: 5 });
    let _ = proxy.call(Charge { cents: 5 });
}
