//! [`LongString`]: bytes that are usually UTF-8 text.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smol_str::SmolStr;

use super::{ShortString, serial};

/// The bytes of a field: AMQP's `longstr`, which is usually UTF-8 text.
///
/// Short text is stored inline and costs no allocation; clones of longer text share it. Values are equal if their bytes are.
///
/// ```
/// use tavrida::field::LongString;
///
/// assert_eq!(LongString::from("orders").as_str(), Some("orders"));
/// assert_eq!(LongString::from(vec![0xff]).as_str(), None);
/// ```
#[derive(Clone)]
pub struct LongString(Repr);

#[derive(Clone)]
enum Repr {
    Text(SmolStr),
    /// Bytes that are not UTF-8.
    Bytes(Bytes),
}

impl LongString {
    /// Creates text known at compile time, without an allocation.
    pub const fn from_static(text: &'static str) -> Self {
        Self(Repr::Text(SmolStr::new_static(text)))
    }

    /// Returns the text. `None` if the bytes are not UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        match &self.0 {
            Repr::Text(text) => Some(text),
            Repr::Bytes(_) => None,
        }
    }

    /// Returns the text, shared. `None` if the bytes are not UTF-8.
    pub(crate) fn to_text(&self) -> Option<SmolStr> {
        match &self.0 {
            Repr::Text(text) => Some(text.clone()),
            Repr::Bytes(_) => None,
        }
    }

    /// Returns the text, with invalid UTF-8 replaced by U+FFFD.
    pub fn to_string_lossy(&self) -> Cow<'_, str> {
        match &self.0 {
            Repr::Text(text) => Cow::Borrowed(text),
            Repr::Bytes(bytes) => String::from_utf8_lossy(bytes),
        }
    }
}

impl Deref for LongString {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Repr::Text(text) => text.as_bytes(),
            Repr::Bytes(bytes) => bytes,
        }
    }
}

impl AsRef<[u8]> for LongString {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Default for LongString {
    fn default() -> Self {
        Self::from_static("")
    }
}

impl PartialEq for LongString {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for LongString {}

impl PartialEq<str> for LongString {
    fn eq(&self, other: &str) -> bool {
        **self == *other.as_bytes()
    }
}

impl PartialEq<[u8]> for LongString {
    fn eq(&self, other: &[u8]) -> bool {
        **self == *other
    }
}

impl Hash for LongString {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl fmt::Debug for LongString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Bytes::copy_from_slice(self).fmt(f)
    }
}

impl From<&str> for LongString {
    fn from(text: &str) -> Self {
        Self(Repr::Text(text.into()))
    }
}

impl From<String> for LongString {
    fn from(text: String) -> Self {
        Self(Repr::Text(text.into()))
    }
}

impl From<SmolStr> for LongString {
    fn from(text: SmolStr) -> Self {
        Self(Repr::Text(text))
    }
}

impl From<ShortString> for LongString {
    fn from(text: ShortString) -> Self {
        text.into_text().into()
    }
}

impl From<Bytes> for LongString {
    fn from(bytes: Bytes) -> Self {
        match std::str::from_utf8(&bytes) {
            Ok(text) => text.into(),
            Err(_) => Self(Repr::Bytes(bytes)),
        }
    }
}

impl From<Vec<u8>> for LongString {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl From<&[u8]> for LongString {
    fn from(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => text.into(),
            Err(_) => Self(Repr::Bytes(Bytes::copy_from_slice(bytes))),
        }
    }
}

impl<const N: usize> From<&[u8; N]> for LongString {
    fn from(bytes: &[u8; N]) -> Self {
        bytes[..].into()
    }
}

impl Serialize for LongString {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serial::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for LongString {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serial::deserialize(deserializer).map(Bytes::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_what_they_were_however_long_they_are() {
        for len in [0, 1, 23, 24, 300] {
            let text = "x".repeat(len);
            for octets in [LongString::from(&*text), text.clone().into(), Bytes::from(text.clone()).into()] {
                assert_eq!(octets, *text);
                assert_eq!(octets.as_str(), Some(&*text));
                assert_eq!(octets.to_text().as_deref(), Some(&*text));
            }
            let mut bytes = text.into_bytes();
            bytes.push(0xff);
            let octets = LongString::from(bytes.clone());
            assert_eq!(octets, bytes[..]);
            assert_eq!((octets.as_str(), octets.to_text()), (None, None));
        }
    }

    #[test]
    fn what_is_longer_than_a_name_is_shared() {
        let long = LongString::from("x".repeat(100));
        assert_eq!(long.as_ptr(), long.clone().as_ptr());
    }

    #[test]
    fn they_are_shown_as_bytes() {
        assert_eq!(format!("{:?}", LongString::from(b"d\xe9j\xe0")), r#"b"d\xe9j\xe0""#);
    }
}
