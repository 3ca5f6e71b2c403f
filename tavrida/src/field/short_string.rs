//! [`ShortString`]: a name of at most 255 bytes.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::ops::Deref;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smol_str::{SmolStr, SmolStrBuilder};

/// UTF-8 text of at most 255 bytes: AMQP's `shortstr`, the type of names (exchange, queue, routing key, header
/// name, consumer tag) and of most message properties.
///
/// Up to 23 bytes are stored inline and cost no allocation; clones of longer text share it.
///
/// ```
/// use tavrida::field::ShortString;
///
/// let name = ShortString::try_from("orders_exchange")?;
/// assert_eq!(name, "orders_exchange");
/// assert!(ShortString::try_from("x".repeat(256)).is_err());
/// # Ok::<(), tavrida::field::TooLongError>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShortString(SmolStr);

impl ShortString {
    /// The maximum length in bytes: the length is encoded in one octet.
    pub const MAX_LEN: usize = 255;

    /// Creates a name known at compile time, without an allocation.
    ///
    /// # Panics
    ///
    /// Panics if the text is longer than 255 bytes; in a `const`, at compile time.
    pub const fn from_static(text: &'static str) -> Self {
        assert!(text.len() <= Self::MAX_LEN, "a short string has at most 255 bytes");
        Self(SmolStr::new_static(text))
    }

    /// Concatenates these parts.
    ///
    /// # Errors
    ///
    /// The result is too long.
    ///
    /// ```
    /// # use tavrida::field::ShortString;
    /// assert_eq!(ShortString::joined(&["orders", ".#"])?, "orders.#");
    /// # Ok::<(), tavrida::field::TooLongError>(())
    /// ```
    pub fn joined(parts: &[&str]) -> Result<Self, TooLongError> {
        let mut text = SmolStrBuilder::new();
        parts.iter().for_each(|part| text.push_str(part));
        text.finish().try_into()
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the text without the length limit.
    pub(crate) fn into_text(self) -> SmolStr {
        self.0
    }
}

impl TryFrom<SmolStr> for ShortString {
    type Error = TooLongError;

    fn try_from(text: SmolStr) -> Result<Self, TooLongError> {
        if text.len() > Self::MAX_LEN { Err(TooLongError::new(&text)) } else { Ok(Self(text)) }
    }
}

impl TryFrom<&str> for ShortString {
    type Error = TooLongError;

    fn try_from(text: &str) -> Result<Self, TooLongError> {
        if text.len() > Self::MAX_LEN { Err(TooLongError::new(text)) } else { Ok(Self(text.into())) }
    }
}

impl TryFrom<String> for ShortString {
    type Error = TooLongError;

    fn try_from(text: String) -> Result<Self, TooLongError> {
        SmolStr::from(text).try_into()
    }
}

impl From<&ShortString> for ShortString {
    fn from(name: &ShortString) -> Self {
        name.clone()
    }
}

impl Deref for ShortString {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for ShortString {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for ShortString {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for ShortString {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for ShortString {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl fmt::Display for ShortString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self)
    }
}

impl fmt::Debug for ShortString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// A text longer than 255 bytes, which cannot be a [`ShortString`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TooLongError {
    beginning: String,
    len: usize,
}

impl TooLongError {
    fn new(text: &str) -> Self {
        Self { beginning: text.chars().take(24).collect(), len: text.len() }
    }

    /// Returns the length of the rejected text, in bytes.
    #[expect(clippy::len_without_is_empty, reason = "it is always over 255")]
    pub fn len(&self) -> usize {
        self.len
    }
}

impl From<std::convert::Infallible> for TooLongError {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

impl fmt::Display for TooLongError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the name \"{}...\" has {} bytes; AMQP allows at most 255", self.beginning, self.len)
    }
}

impl std::error::Error for TooLongError {}

impl Serialize for ShortString {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl<'de> Deserialize<'de> for ShortString {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::try_from(&*text).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_255_bytes_fits_and_one_of_256_names_itself_in_the_error() {
        assert!(ShortString::try_from("n".repeat(255)).is_ok());
        let error = ShortString::try_from("n".repeat(256)).unwrap_err();
        assert_eq!(error.len(), 256);
        assert_eq!(
            error.to_string(),
            "the name \"nnnnnnnnnnnnnnnnnnnnnnnn...\" has 256 bytes; AMQP allows at most 255"
        );
    }

    #[test]
    fn the_limit_counts_bytes_not_characters() {
        assert!(ShortString::try_from("é".repeat(128)).is_err());
    }
}
