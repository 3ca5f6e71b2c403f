//! `payments`: takes the money. One version has an honest bug, the other has not.

use tavrida::prelude::*;

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

/// The repaired service: the order's number is the key under which the bank stores the charge.
pub struct CarefulPayments(pub Bank);

#[tavrida::service("payments")]
impl CarefulPayments {
    #[rpc(Charge)]
    async fn charge(&self, new: Charge) -> Result<Charged> {
        Ok(Charged { receipt: self.0.charge_once(new.order, new.order, new.cents) })
    }
}
