//! `payments`: takes the money. Once with an honest bug, and once without.

use tavrida::prelude::*;

use crate::bank::Bank;
use crate::contracts::{Charge, Charged};

/// The service as one writes it first. A message is acked after its handler is done: a process that is killed in between gets it again,
/// and charges again.
pub struct Payments(pub Bank);

#[tavrida::service("payments")]
impl Payments {
    #[rpc(Charge)]
    async fn charge(&self, new: Charge) -> Result<Charged> {
        Ok(Charged { receipt: self.0.charge(new.order, new.cents) })
    }
}

/// The service repaired: the order's number is the key under which the bank remembers the charge.
pub struct CarefulPayments(pub Bank);

#[tavrida::service("payments")]
impl CarefulPayments {
    #[rpc(Charge)]
    async fn charge(&self, new: Charge) -> Result<Charged> {
        Ok(Charged { receipt: self.0.charge_once(new.order, new.order, new.cents) })
    }
}
