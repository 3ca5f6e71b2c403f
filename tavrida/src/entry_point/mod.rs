//! [`EntryPoint`]: the address of a method of a service; [`TopicPattern`]: the topics of a subscription. No raw address strings are used
//! in later modules.

mod topic_pattern;

use std::fmt;
use std::str::FromStr;

use smol_str::format_smolstr;

pub use topic_pattern::TopicPattern;

use crate::field::ShortString;
use crate::show::{beginning, is_control};

/// An address: `service.method`, a whole `service`, or none.
///
/// It is also a routing key, so that its text has at most 255 bytes, and its words are not `*` or `#`, which are wildcards in a binding.
/// It is shown in logs, so that it has no control characters. Clones are cheap.
///
/// ```
/// use tavrida::EntryPoint;
///
/// let world: EntryPoint = "test_world.world".parse()?;
/// assert_eq!(world.service(), Some("test_world"));
/// assert_eq!(world.method(), Some("world"));
/// assert_eq!(world.to_string(), "test_world.world");
/// assert!("a.b.c".parse::<EntryPoint>().is_err());
/// # Ok::<(), tavrida::entry_point::EntryPointError>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryPoint {
    text: ShortString,
    /// The position of the dot. `None` in a service's address and in the empty one.
    dot: Option<u8>,
}

impl EntryPoint {
    /// No address: the reply address of a cast, the destination of a notification.
    pub const NONE: Self = Self { text: ShortString::from_static(""), dot: None };

    /// Returns the address of one method.
    ///
    /// # Errors
    ///
    /// A name cannot be part of a routing key.
    pub fn new(service: &str, method: &str) -> Result<Self, EntryPointError> {
        Self::parse(format_smolstr!("{service}.{method}"))
    }

    /// Parses a text; the empty text is [`EntryPoint::NONE`], as on the wire.
    ///
    /// # Errors
    ///
    /// The text is neither empty nor an address.
    pub fn parse(text: impl TryInto<ShortString> + AsRef<str>) -> Result<Self, EntryPointError> {
        let bad = |text: &str, flaw| EntryPointError::new(text, flaw, Wanted::EntryPoint);
        if text.as_ref().len() > ShortString::MAX_LEN {
            return Err(bad(text.as_ref(), NameFlaw::TooLong));
        }
        let Ok(text) = text.try_into() else { unreachable!("it has at most 255 bytes") };
        if text.is_empty() {
            return Ok(Self::NONE);
        }
        let dot = text.bytes().position(|byte| byte == b'.');
        let (service, method) = match dot {
            Some(dot) => (&text[..dot], Some(&text[dot + 1..])),
            None => (&*text, None),
        };
        if let Some(flaw) = flaw_of(service).or_else(|| flaw_of(method?)) {
            return Err(bad(&text, flaw));
        }
        let dot = dot.map(|at| u8::try_from(at).expect("a short string has at most 255 bytes"));
        Ok(Self { text, dot })
    }

    /// Returns the service. `None` only for [`EntryPoint::NONE`].
    pub fn service(&self) -> Option<&str> {
        match self.dot {
            Some(dot) => Some(&self.text[..dot.into()]),
            None if self.text.is_empty() => None,
            None => Some(&self.text),
        }
    }

    /// Returns the method, if the address names one.
    pub fn method(&self) -> Option<&str> {
        self.dot.map(|dot| &self.text[usize::from(dot) + 1..])
    }

    /// Returns whether there is no address.
    pub fn is_none(&self) -> bool {
        self.text.is_empty()
    }

    /// Returns the address of the same service without the method.
    pub fn to_service(&self) -> Self {
        match self.service() {
            Some(service) if self.dot.is_some() => Self {
                text: ShortString::try_from(service).expect("a part of a short string is short"),
                dot: None,
            },
            _ => self.clone(),
        }
    }

    /// Returns whether this is a reserved address for answers to asks. Such an answer arrives through a private reply queue; the copy that
    /// a binding `service.#` routes to the service's shared queue can be ignored.
    pub fn is_reserved(&self) -> bool {
        self.method().is_some_and(|method| method.starts_with(Self::RESERVED))
    }

    /// The prefix of the methods of reserved addresses.
    pub(crate) const RESERVED: char = '~';

    /// Returns the text, which is also the routing key; empty if there is no address.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the text as a name that shares its bytes.
    pub fn routing_key(&self) -> ShortString {
        self.text.clone()
    }
}

/// Returns why a name is invalid in an address.
fn flaw_of(name: &str) -> Option<NameFlaw> {
    match name {
        "" => Some(NameFlaw::EmptyName),
        "*" | "#" => Some(NameFlaw::Wildcard),
        _ if name.contains('.') => Some(NameFlaw::TooManyDots),
        _ => name.contains(is_control).then_some(NameFlaw::Control),
    }
}

impl FromStr for EntryPoint {
    type Err = EntryPointError;

    /// Parses an address; unlike [`EntryPoint::parse`] it rejects the empty text, which a person does not intend.
    fn from_str(text: &str) -> Result<Self, EntryPointError> {
        match Self::parse(text)? {
            none if none.is_none() => Err(EntryPointError::new(text, NameFlaw::Empty, Wanted::EntryPoint)),
            entry_point => Ok(entry_point),
        }
    }
}

impl TryFrom<&str> for EntryPoint {
    type Error = EntryPointError;

    fn try_from(text: &str) -> Result<Self, EntryPointError> {
        text.parse()
    }
}

impl TryFrom<String> for EntryPoint {
    type Error = EntryPointError;

    fn try_from(text: String) -> Result<Self, EntryPointError> {
        text.parse()
    }
}

impl TryFrom<&EntryPoint> for EntryPoint {
    type Error = EntryPointError;

    fn try_from(entry_point: &EntryPoint) -> Result<Self, EntryPointError> {
        Ok(entry_point.clone())
    }
}

impl fmt::Display for EntryPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for EntryPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EntryPoint({:?})", self.as_str())
    }
}

impl From<std::convert::Infallible> for EntryPointError {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

/// A text that is not an address or a topic, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryPointError {
    text: String,
    flaw: NameFlaw,
    wanted: Wanted,
}

/// What the text was to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    EntryPoint,
    Topic,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NameFlaw {
    Empty,
    EmptyName,
    TooManyDots,
    Wildcard,
    Control,
    TooLong,
    NoEvent,
    WildPublisher,
    WildLetter,
}

impl EntryPointError {
    fn new(text: &str, flaw: NameFlaw, wanted: Wanted) -> Self {
        Self { text: text.chars().take(64).collect(), flaw, wanted }
    }
}

impl fmt::Display for EntryPointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match self.flaw {
            NameFlaw::Empty => "it is empty",
            NameFlaw::EmptyName => "a name before or after the dot is empty",
            NameFlaw::TooManyDots => "it has more than one dot",
            NameFlaw::Wildcard => "a name is `*` or `#`, which a binding reads as a wildcard",
            NameFlaw::Control => "a name has a control character, which would break the lines of a log",
            NameFlaw::TooLong => "it has over 255 bytes, the most that a routing key can have",
            NameFlaw::NoEvent => "it names no event",
            NameFlaw::WildPublisher => {
                "a subscription names its publisher, whose exchange it is bound to: write one for each publisher, such as `stock.*`"
            }
            NameFlaw::WildLetter => {
                "a wildcard is a whole word, as in `stock.*`; for a name with this letter, pass an `EntryPoint`"
            }
        };
        let wanted = match self.wanted {
            Wanted::EntryPoint => "entry point (`service.method` or `service`)",
            Wanted::Topic => "topic (`publisher.event`, `publisher.*` or `publisher.#`)",
        };
        write!(f, "'{}' is no {wanted}: {why}", beginning(&self.text))
    }
}

impl std::error::Error for EntryPointError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        text.parse::<EntryPoint>().expect_err("refused").to_string()
    }

    #[test]
    fn a_method_a_service_and_none_are_the_three_shapes() {
        let method: EntryPoint = "hello.world".parse().unwrap();
        assert_eq!((method.service(), method.method()), (Some("hello"), Some("world")));
        let service: EntryPoint = "hello".parse().unwrap();
        assert_eq!((service.service(), service.method()), (Some("hello"), None));
        let none = EntryPoint::parse("").unwrap();
        assert_eq!((none.service(), none.method(), none.is_none()), (None, None, true));
        assert_eq!(method.to_service(), service);
    }

    #[test]
    fn what_cannot_be_a_routing_key_is_refused_with_the_reason() {
        assert!(refusal("").contains("it is empty"));
        assert!(refusal("a.").contains("after the dot is empty"));
        assert!(refusal(".b").contains("is empty"));
        assert!(refusal("a.b.c").contains("more than one dot"));
        assert!(refusal("a.*").contains("wildcard"));
        assert!(refusal("#").contains("wildcard"));
        assert!(refusal(&"x".repeat(256)).contains("over 255 bytes"));
    }

    #[test]
    fn a_star_inside_a_name_is_an_ordinary_letter() {
        assert_eq!("a*.b#".parse::<EntryPoint>().unwrap().method(), Some("b#"));
    }

    #[test]
    fn a_name_with_a_line_break_is_refused_and_shown_on_one_line() {
        for text in ["work.a\nb", "wo\u{1b}[31mrk", "work.\u{202e}a"] {
            let refusal = refusal(text);
            assert!(refusal.contains("control character") && !refusal.contains(is_control), "{refusal}");
        }
    }

    #[test]
    fn the_longest_address_has_255_bytes() {
        let longest = format!("{}.{}", "s".repeat(200), "m".repeat(54));
        assert_eq!(longest.parse::<EntryPoint>().unwrap().method().map(str::len), Some(54));
    }
}
