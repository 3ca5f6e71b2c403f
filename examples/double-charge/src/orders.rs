//! `orders`: accepts an order if the item is in stock and paid for.

use tavrida::prelude::*;

use crate::contracts::{Charge, OrderPlaced, Place, Placed, Reserve};

/// The service.
pub struct Orders;

#[tavrida::service("orders")]
impl Orders {
    #[rpc(Place)]
    async fn place(&self, proxy: Proxy, new: Place) -> Result<Placed> {
        let Place { order, sku, cents } = new;
        let reserved = proxy.ask(Reserve { order, sku: sku.clone() }).await?;
        if reserved.left.is_none() {
            return Err(Failure::new("orders.SoldOut", format!("{sku} is sold out")));
        }
        let charged = proxy.ask(Charge { order, cents }).await?;
        proxy.emit(OrderPlaced { order }).await?;
        Ok(Placed { receipt: charged.receipt })
    }
}
