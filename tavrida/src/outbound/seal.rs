//! [`Seal`]: a signature of what a server sends along to get it back.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::error::{Error, Kind};
use crate::field::{ShortString, Table, Value};

/// The entry that holds the signature.
const SIGNATURE: ShortString = ShortString::from_static("signature");

/// Signs tables with a secret (HMAC-SHA256), and checks them.
pub(crate) struct Seal(Hmac<Sha256>);

impl Seal {
    pub(crate) fn new(secret: &[u8]) -> Self {
        Self(Hmac::new_from_slice(secret).expect("HMAC takes keys of any length"))
    }

    /// Adds the signature.
    pub(crate) fn sign(&self, table: &mut Table) {
        let signature = STANDARD.encode(self.of(table).finalize().into_bytes());
        table.insert(SIGNATURE, signature);
    }

    /// Checks the signature.
    ///
    /// # Errors
    ///
    /// There is none, or the table is not what was signed.
    pub(crate) fn check(&self, table: &Table) -> Result<(), Error> {
        let signature = table.get(&SIGNATURE).and_then(Value::as_str);
        let signature = signature.and_then(|text| STANDARD.decode(text).ok()).unwrap_or_default();
        self.of(table).verify_slice(&signature).map_err(|_| {
            let text = "the address of the caller that is to be answered later was not signed with this server's secret";
            Error::new(Kind::UnsuitableFieldValue, text)
        })
    }

    fn of(&self, table: &Table) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        add_table(&mut mac, table);
        mac
    }
}

/// The service that echoes a table may reorder it, and may write an integer with another type.
fn add_table(mac: &mut Hmac<Sha256>, table: &Table) {
    let mut entries: Vec<_> = table.iter().filter(|(name, _)| **name != SIGNATURE).collect();
    entries.sort_by_key(|(name, _)| name.as_str());
    add(mac, b'F', &entries.len().to_be_bytes());
    for (name, value) in entries {
        add(mac, b'k', name.as_bytes());
        add_value(mac, value);
    }
}

fn add_value(mac: &mut Hmac<Sha256>, value: &Value) {
    match value {
        Value::LongString(bytes) => add(mac, b'S', bytes),
        Value::Array(items) => {
            add(mac, b'A', &items.len().to_be_bytes());
            items.iter().for_each(|item| add_value(mac, item));
        }
        Value::Table(table) => add_table(mac, table),
        other => match other.as_i64() {
            Some(number) => add(mac, b'l', &number.to_be_bytes()),
            None => add(mac, b'?', format!("{other:?}").as_bytes()),
        },
    }
}

/// Adds bytes with their kind and length, so that no two tables are signed alike.
fn add(mac: &mut Hmac<Sha256>, kind: u8, bytes: &[u8]) {
    mac.update(&[kind]);
    mac.update(&bytes.len().to_be_bytes());
    mac.update(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: ShortString = ShortString::from_static("a");
    const B: ShortString = ShortString::from_static("b");

    fn signed() -> Table {
        let inner = Table::new().with(A, 1).with(B, vec![Value::Void, Value::from("x")]);
        let mut table = Table::new().with(A, "text").with(B, inner);
        Seal::new(b"secret").sign(&mut table);
        table
    }

    #[test]
    fn what_was_signed_is_known_again_in_another_order_and_with_another_integer_type() {
        let mut echoed: Table = signed().into_iter().collect::<Vec<_>>().into_iter().rev().collect();
        echoed.insert(B, Table::new().with(B, vec![Value::Void, Value::from("x")]).with(A, Value::I64(1)));
        assert!(Seal::new(b"secret").check(&echoed).is_ok());
    }

    #[test]
    fn any_change_another_secret_and_no_signature_are_noticed() {
        let seal = Seal::new(b"secret");
        let changed = [
            signed().with(A, "texts"),
            signed().with(ShortString::from_static("c"), Value::Void),
            signed().with(B, Table::new()),
            signed().with(SIGNATURE, ""),
            signed().with(SIGNATURE, Value::Void),
            Table::new(),
        ];
        for table in changed {
            assert!(seal.check(&table).is_err(), "{table:?}");
        }
        assert!(Seal::new(b"other").check(&signed()).is_err());
        assert!(seal.check(&signed()).is_ok());
    }
}
