//! The bank: an external system that our restarts do not undo.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

/// A bank that the payments service calls. Clones are the same bank.
#[derive(Debug, Clone, Default)]
pub struct Bank(Arc<Mutex<Books>>);

#[derive(Debug, Default)]
struct Books {
    /// The amounts taken for each order, one entry for each charge.
    charges: BTreeMap<u64, Vec<u64>>,
    /// The receipts of charges with a key.
    by_key: BTreeMap<u64, u64>,
    receipts: u64,
}

impl Books {
    fn take(&mut self, order: u64, cents: u64) -> u64 {
        self.charges.entry(order).or_default().push(cents);
        self.receipts += 1;
        self.receipts
    }
}

impl Bank {
    fn books(&self) -> MutexGuard<'_, Books> {
        self.0.lock().expect("no panic while the books are open")
    }

    /// Takes money. Returns the number of the receipt.
    pub fn charge(&self, order: u64, cents: u64) -> u64 {
        self.books().take(order, cents)
    }

    /// Takes money once for each key: the second call returns the receipt of the first.
    pub fn charge_once(&self, key: u64, order: u64, cents: u64) -> u64 {
        let mut books = self.books();
        match books.by_key.get(&key) {
            Some(receipt) => *receipt,
            None => {
                let receipt = books.take(order, cents);
                books.by_key.insert(key, receipt);
                receipt
            }
        }
    }

    /// Returns how often money was taken for an order.
    pub fn charges(&self, order: u64) -> usize {
        self.books().charges.get(&order).map_or(0, Vec::len)
    }
}
