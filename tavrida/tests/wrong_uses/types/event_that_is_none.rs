//! A type without `#[derive(Event)]` in `#[subscribe(...)]` and `emit`.
//!
//~ Low` is no event
//~ write `#[derive(serde::Serialize, serde::Deserialize, tavrida::Event)]` and `#[event("publisher.event")]` above
//~ is no handler of this contract

use tavrida::prelude::*;

struct Hello;

#[tavrida::service("hello")]
impl Hello {
    #[rpc]
    async fn hello(&self, proxy: Proxy) -> Result<()> {
        let _ = proxy.emit(Low { sku: String::new() });
        Ok(())
    }

    #[subscribe(Low)]
    async fn low(&self, low: Low) {}
}

#[derive(serde::Serialize, serde::Deserialize)]
pub struct Low {
    pub sku: String,
}
