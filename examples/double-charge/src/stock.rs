//! `stock`: reserves pieces, once for each order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use tavrida::prelude::*;

use crate::contracts::{Reserve, Reserved};

/// The shelves: a database outside the process. Clones are the same shelves.
#[derive(Debug, Clone)]
pub struct Shelves(Arc<Mutex<BTreeMap<String, Shelf>>>);

#[derive(Debug)]
struct Shelf {
    pieces: u32,
    reserved: BTreeSet<u64>,
}

impl Shelves {
    /// Returns shelves with `pieces` pieces of one item.
    pub fn with(sku: &str, pieces: u32) -> Self {
        let shelf = Shelf { pieces, reserved: BTreeSet::new() };
        Self(Arc::new(Mutex::new(BTreeMap::from([(sku.to_owned(), shelf)]))))
    }

    /// Reserves a piece for an order, unless it already has one. Returns how many are left, or `None` if there was none.
    fn reserve(&self, sku: &str, order: u64) -> Option<u32> {
        let mut shelves = self.0.lock().expect("no panic at the shelves");
        let shelf = shelves.get_mut(sku)?;
        if !shelf.reserved.contains(&order) {
            shelf.pieces = shelf.pieces.checked_sub(1)?;
            shelf.reserved.insert(order);
        }
        Some(shelf.pieces)
    }
}

/// The service.
pub struct Stock(pub Shelves);

#[tavrida::service("stock")]
impl Stock {
    #[rpc(Reserve)]
    async fn reserve(&self, new: Reserve) -> Result<Reserved> {
        Ok(Reserved { left: self.0.reserve(&new.sku, new.order) })
    }
}
