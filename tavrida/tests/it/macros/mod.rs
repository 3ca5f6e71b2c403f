//! Services from impl blocks, contracts from types.

mod arguments;
mod generics;
mod hooks;
mod kinds;

use serde::{Deserialize, Serialize};
use tavrida::prelude::*;

use crate::fixture::Notes;

#[derive(Debug, Serialize, Deserialize, tavrida::Rpc)]
#[rpc("billing.charge", reply = Receipt, error = Declined, code = Declined::code)]
pub(super) struct Charge {
    pub(super) order: u64,
    #[serde(default)]
    pub(super) cents: u64,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Receipt {
    pub(super) number: u64,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Declined {
    Blocked,
    NoFunds { left: u64 },
}

impl Declined {
    fn code(&self) -> i64 {
        if *self == Self::Blocked { 4003 } else { 4002 }
    }
}

impl std::fmt::Display for Declined {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("declined")
    }
}

impl std::error::Error for Declined {}

#[derive(Serialize, Deserialize, tavrida::Event)]
#[event("billing.charged")]
pub(super) struct Charged {
    pub(super) order: u64,
}

pub(super) struct Billing;

#[tavrida::service("billing")]
impl Billing {
    /// Charges.
    #[rpc(Charge)]
    async fn charge(&self, proxy: Proxy, new: Charge) -> Result<Receipt> {
        match new.cents {
            0 => Err(Declined::Blocked)?,
            500.. => Err(Declined::NoFunds { left: 499 })?,
            13 => Err(Failure::new("billing.Superstition", "not 13")),
            _ => {
                proxy.emit(Charged { order: new.order }).await?;
                Ok(Receipt { number: new.order * 10 })
            }
        }
    }
}

/// What a handler of a test records.
pub(super) struct Told(pub(super) Notes);

impl Told {
    pub(super) fn add(&self, note: impl Into<String>) {
        self.0.add(note);
    }
}
