//! `stock`: puts pieces aside, once for each order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use tavrida::prelude::*;

use crate::contracts::{Reserve, Reserved};

/// The shelves: a database outside of the process. A clone is the same.
#[derive(Debug, Clone)]
pub struct Shelves(Arc<Mutex<BTreeMap<String, Shelf>>>);

#[derive(Debug)]
struct Shelf {
    pieces: u32,
    reserved: BTreeSet<u64>,
}

impl Shelves {
    /// Shelves with so many pieces of one thing.
    pub fn with(sku: &str, pieces: u32) -> Self {
        let shelf = Shelf { pieces, reserved: BTreeSet::new() };
        Self(Arc::new(Mutex::new(BTreeMap::from([(sku.to_owned(), shelf)]))))
    }

    /// Puts a piece aside for an order, unless one is already; gives how many are left, none where there was none to be had.
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
