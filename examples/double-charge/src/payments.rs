//! `payments`: takes the money. Two versions have an honest bug, the last has not.

use tavrida::prelude::*;
use tavrida_testkit::sim::Store;

use crate::bank::Bank;
use crate::contracts::{Charge, Charged};

/// The first version of the service. A message is acked after its handler has returned: a process that is killed in between gets it again,
/// and charges again.
pub struct Payments(pub Bank);

#[tavrida::service("payments")]
impl Payments {
    #[rpc(Charge)]
    async fn charge(&self, new: Charge) -> Result<Charged> {
        Ok(Charged { receipt: self.0.charge(new.order, new.cents) })
    }
}

/// The second version: it keeps the receipts in a database of its own, and looks there first. A process that is killed after the charge and
/// before it has written the receipt charges again.
pub struct RememberingPayments(pub Bank, pub Store<u64>);

#[tavrida::service("payments")]
impl RememberingPayments {
    #[rpc(Charge)]
    async fn charge(&self, new: Charge) -> Result<Charged> {
        let Self(bank, receipts) = self;
        let order = new.order.to_string();
        if let Some(receipt) = receipts.get(&order).await {
            return Ok(Charged { receipt });
        }
        let receipt = bank.charge(new.order, new.cents);
        receipts.put(&order, receipt).await;
        Ok(Charged { receipt })
    }
}

/// The repaired service: the order's number is the key under which the bank stores the charge.
pub struct CarefulPayments(pub Bank);

#[tavrida::service("payments")]
impl CarefulPayments {
    #[rpc(Charge)]
    async fn charge(&self, new: Charge) -> Result<Charged> {
        Ok(Charged { receipt: self.0.charge_once(new.order, new.order, new.cents) })
    }
}
