//! [`TopicPattern`]: the topics that a subscription takes.

use std::fmt;
use std::str::FromStr;

use super::{EntryPoint, EntryPointError, NameFlaw, Wanted};
use crate::field::{ShortString, TooLongError};

/// One topic, `publisher.event`, or many topics of one publisher: `publisher.*` or `publisher.#`.
///
/// `*` and `#` are the wildcards of RabbitMQ's topic exchanges, each a whole word. `stock.*` is each event of `stock`. `stock.#` is every
/// notification of `stock`, also one without an event, which services of the Python original publish from their answer handlers. The
/// publisher is always named: a subscription is bound to the exchange of its publisher.
///
/// Patterns are ordered from the most specific: a topic, then `*`, then `#`.
///
/// ```
/// use tavrida::entry_point::TopicPattern;
///
/// let events: TopicPattern = "stock.*".parse()?;
/// assert!(events.matches(&"stock.low".parse()?) && !events.matches(&"stock".parse()?));
/// assert!("stock.low".parse::<TopicPattern>()? < events);
/// assert!("*.low".parse::<TopicPattern>().is_err());
/// # Ok::<(), tavrida::entry_point::EntryPointError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPattern(Topics);

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Topics {
    /// `publisher.event`.
    One(EntryPoint),
    /// `publisher.*`, with the publisher.
    Events(EntryPoint),
    /// `publisher.#`, with the publisher.
    All(EntryPoint),
}

impl TopicPattern {
    /// Returns the pattern of a publisher's event, or of its events if `event` is a wildcard.
    ///
    /// # Errors
    ///
    /// As for a text, [`TryFrom<&str>`](TopicPattern#impl-TryFrom<%26str>-for-TopicPattern).
    pub fn new(publisher: &str, event: &str) -> Result<Self, EntryPointError> {
        format!("{publisher}.{event}").parse()
    }

    /// Returns the publisher.
    pub fn publisher(&self) -> &str {
        let (Topics::One(name) | Topics::Events(name) | Topics::All(name)) = &self.0;
        name.service().expect("a pattern names its publisher")
    }

    /// Returns the topic, if it is one alone.
    pub fn topic(&self) -> Option<&EntryPoint> {
        match &self.0 {
            Topics::One(topic) => Some(topic),
            Topics::Events(_) | Topics::All(_) => None,
        }
    }

    /// Returns whether a notification of this topic belongs to it.
    pub fn matches(&self, topic: &EntryPoint) -> bool {
        match &self.0 {
            Topics::One(one) => one == topic,
            Topics::Events(publisher) => topic.service() == publisher.service() && topic.method().is_some(),
            Topics::All(publisher) => topic.service() == publisher.service(),
        }
    }

    /// Returns the key of the binding that brings these topics: the pattern; for one topic, as the Python original binds it,
    /// `publisher.event.#`.
    ///
    /// # Errors
    ///
    /// The key has over 255 bytes.
    pub fn binding_key(&self) -> Result<ShortString, TooLongError> {
        match &self.0 {
            Topics::One(topic) => ShortString::joined(&[topic.as_str(), ".#"]),
            Topics::Events(publisher) => ShortString::joined(&[publisher.as_str(), ".*"]),
            Topics::All(publisher) => ShortString::joined(&[publisher.as_str(), ".#"]),
        }
    }
}

impl FromStr for TopicPattern {
    type Err = EntryPointError;

    fn from_str(text: &str) -> Result<Self, EntryPointError> {
        let refuse = |flaw| EntryPointError::new(text, flaw, Wanted::Topic);
        let pattern = |topics: fn(EntryPoint) -> Topics, publisher: &str| {
            let publisher = publisher.parse().map_err(|error: EntryPointError| refuse(error.flaw))?;
            Ok(Self(topics(publisher)))
        };
        let is_wild = |word: &str| word.contains(['*', '#']);
        match text.split_once('.') {
            _ if text.len() > ShortString::MAX_LEN => Err(refuse(NameFlaw::TooLong)),
            None if is_wild(text) => Err(refuse(NameFlaw::WildPublisher)),
            Some(("*" | "#", _)) => Err(refuse(NameFlaw::WildPublisher)),
            Some((_, rest)) if rest.contains('.') => Err(refuse(NameFlaw::TooManyDots)),
            Some((publisher, "*")) => pattern(Topics::Events, publisher),
            Some((publisher, "#")) => pattern(Topics::All, publisher),
            Some(_) if is_wild(text) => Err(refuse(NameFlaw::WildLetter)),
            _ => text.parse::<EntryPoint>().map_err(|error| refuse(error.flaw))?.try_into(),
        }
    }
}

impl TryFrom<EntryPoint> for TopicPattern {
    type Error = EntryPointError;

    /// Returns the pattern of exactly this topic: a `*` or `#` within a name is a letter.
    fn try_from(topic: EntryPoint) -> Result<Self, EntryPointError> {
        match topic.method() {
            Some(_) => Ok(Self(Topics::One(topic))),
            None => Err(EntryPointError::new(topic.as_str(), NameFlaw::NoEvent, Wanted::Topic)),
        }
    }
}

impl TryFrom<&EntryPoint> for TopicPattern {
    type Error = EntryPointError;

    fn try_from(topic: &EntryPoint) -> Result<Self, EntryPointError> {
        topic.clone().try_into()
    }
}

impl TryFrom<&str> for TopicPattern {
    type Error = EntryPointError;

    /// Parses a topic or a pattern.
    ///
    /// # Errors
    ///
    /// It is neither. The error says what to write instead: of a wildcard for the publisher, of one that is part of a word, and of more
    /// words than a topic has.
    fn try_from(text: &str) -> Result<Self, EntryPointError> {
        text.parse()
    }
}

impl TryFrom<String> for TopicPattern {
    type Error = EntryPointError;

    fn try_from(text: String) -> Result<Self, EntryPointError> {
        text.parse()
    }
}

impl fmt::Display for TopicPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Topics::One(topic) => f.pad(topic.as_str()),
            Topics::Events(publisher) => f.pad(&format!("{publisher}.*")),
            Topics::All(publisher) => f.pad(&format!("{publisher}.#")),
        }
    }
}

impl fmt::Debug for TopicPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TopicPattern({:?})", self.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> TopicPattern {
        text.parse().expect("a pattern")
    }

    fn refusal(text: &str) -> String {
        text.parse::<TopicPattern>().expect_err("refused").to_string()
    }

    #[test]
    fn a_topic_is_itself_and_a_pattern_is_what_the_broker_binds() {
        let topic = |text: &str| EntryPoint::parse(text).expect("a topic");
        for (text, key, taken, left) in [
            ("stock.low", "stock.low.#", vec!["stock.low"], vec!["stock.out", "stock", "stocks.low"]),
            ("stock.*", "stock.*", vec!["stock.low", "stock.out"], vec!["stock", "stocks.low", ""]),
            ("stock.#", "stock.#", vec!["stock.low", "stock.out", "stock"], vec!["stocks.low", ""]),
        ] {
            let pattern = pattern(text);
            assert_eq!((pattern.to_string().as_str(), pattern.publisher()), (text, "stock"));
            assert_eq!(pattern.binding_key().expect("it is short"), key);
            assert!(taken.iter().all(|text| pattern.matches(&topic(text))), "{pattern}");
            assert!(!left.iter().any(|text| pattern.matches(&topic(text))), "{pattern}");
        }
        let mut patterns = ["stock.#", "a.*", "stock.low", "stock.*"].map(pattern);
        patterns.sort();
        assert_eq!(patterns, ["stock.low", "a.*", "stock.*", "stock.#"].map(pattern));
    }

    #[test]
    fn what_is_no_pattern_is_refused_with_what_to_write() {
        for text in ["*", "#", "*.low", "#.low", "*.*", "#.low.*", "sto*"] {
            assert!(refusal(text).contains("names its publisher"), "{text}: {}", refusal(text));
        }
        for text in ["stock.*.low", "stock.#.low", "stock.low.#", "stock.low.*", "a.b.c"] {
            assert!(refusal(text).contains("more than one dot"), "{text}: {}", refusal(text));
        }
        for text in ["stock.lo*", "sto#k.low", "stock.##"] {
            assert!(refusal(text).contains("a wildcard is a whole word"), "{text}: {}", refusal(text));
        }
        assert!(refusal("stock").contains("it names no event"), "{}", refusal("stock"));
        assert!(refusal("").contains("it is empty"));
        assert!(
            refusal(".*").contains("it is empty") && refusal("stock.").contains("after the dot is empty")
        );
        assert!(refusal("sto\nck.*").contains("control character"));
        assert!(
            refusal("*.low")
                .starts_with("'*.low' is no topic (`publisher.event`, `publisher.*` or `publisher.#`): ")
        );
    }

    #[test]
    fn an_entry_point_is_exactly_its_topic() {
        let odd: EntryPoint = "stock.lo*".parse().expect("a star within a name is a letter");
        let pattern = TopicPattern::try_from(&odd).expect("a topic");
        assert!(pattern.matches(&odd) && pattern.topic() == Some(&odd));
        assert!(TopicPattern::try_from(odd.to_service()).is_err());
    }

    #[test]
    fn the_longest_pattern_is_a_binding_key_and_the_longest_topic_is_none() {
        let longest = format!("{}.*", "x".repeat(253));
        assert_eq!(pattern(&longest).binding_key().expect("it fits"), longest.as_str());
        assert!(refusal(&format!("{}.*", "x".repeat(254))).contains("over 255 bytes"));
        assert!(pattern(&format!("{}.y", "x".repeat(253))).binding_key().is_err());
    }
}
