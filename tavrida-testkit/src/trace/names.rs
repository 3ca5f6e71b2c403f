//! [`Names`]: short names for ids, by first appearance, so that a text does not depend on the ids.

use std::borrow::Cow;

use rustc_hash::FxHashMap;
use tavrida::field::Value;

use super::{MessageId, Trace};

/// A shorter word of a text is not renamed even if it equals an id: it may mean something else.
const SHORTEST: usize = 8;

/// Short names for the ids of a trace: `m1` for a message, `c1` for a chain, `r1` for a request and its answer, `i1` for an asking
/// instance, `q1` for the queue of its answers.
pub(crate) struct Names<'t> {
    by_text: FxHashMap<&'t str, Name>,
    by_message: Vec<Option<Name>>,
    /// Those that are not a single word, longest first.
    odd: Vec<(&'t str, Name)>,
    given: [u32; 5],
}

/// One short name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Name {
    what: IdKind,
    number: u32,
}

/// What an id identifies; the index in [`Names::given`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IdKind {
    Message,
    Chain,
    Request,
    Asker,
    Queue,
}

impl<'t> Names<'t> {
    /// Names all ids, in the order in which the events mention them.
    pub(crate) fn of(trace: &'t Trace) -> Self {
        let mut names = Self {
            by_text: FxHashMap::default(),
            by_message: vec![None; trace.messages().len()],
            odd: Vec::new(),
            given: [0; 5],
        };
        for event in trace.events() {
            if let Some(message) = event.message
                && names.by_message[message.index()].is_none()
            {
                names.meet(trace, message);
            }
        }
        names.odd =
            names.by_text.iter().filter(|(id, _)| !is_word(id)).map(|(id, name)| (*id, *name)).collect();
        names.odd.sort_by(|(a, _), (b, _)| b.len().cmp(&a.len()).then(a.cmp(b)));
        names
    }

    fn meet(&mut self, trace: &'t Trace, message: MessageId) {
        let properties = &trace.message(message).publication().properties;
        let header = |name| properties.headers().get(name).and_then(Value::as_str);
        let id = properties.message_id.as_deref().or_else(|| header("message_id")).unwrap_or_default();
        let name = self.give(IdKind::Message, id);
        self.by_message[message.index()] = Some(name);
        let asker = header("reply_to").and_then(|address| address.split_once(".~")).map(|(_, asker)| asker);
        let ids = [
            (IdKind::Chain, header("correlation_id")),
            (IdKind::Request, header("request_id")),
            (IdKind::Asker, asker),
            (IdKind::Queue, properties.reply_to.as_deref()),
        ];
        for (what, id) in ids {
            if let Some(id) = id.filter(|id| !id.is_empty()) {
                self.give(what, id);
            }
        }
    }

    /// Returns the name of an id: a new one if the id is new or empty.
    fn give(&mut self, what: IdKind, id: &'t str) -> Name {
        if let Some(known) = self.by_text.get(id) {
            return *known;
        }
        let given = &mut self.given[what as usize];
        *given += 1;
        let name = Name { what, number: *given };
        if !id.is_empty() {
            self.by_text.insert(id, name);
        }
        name
    }

    /// Returns the name of a message.
    pub(crate) fn message(&self, message: MessageId) -> String {
        self.by_message[message.index()].map_or_else(|| "m?".to_owned(), |name| name.to_string())
    }

    /// Returns the name of an id; the id itself if it has none.
    pub(crate) fn id(&self, id: &str) -> String {
        self.by_text.get(id).map_or_else(|| id.to_owned(), Name::to_string)
    }

    /// Replaces the ids in a text with their names.
    pub(crate) fn rename<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.replace(text, Name::to_string)
    }

    /// Replaces the ids in a text with a placeholder for each kind.
    pub(crate) fn blank(&self, text: &str) -> String {
        self.replace(text, |name| Name { number: 0, ..*name }.to_string()).into_owned()
    }

    fn replace<'a>(&self, text: &'a str, by: impl Fn(&Name) -> String) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        for (id, name) in &self.odd {
            if id.len() >= SHORTEST && text.contains(id) {
                text = text.replace(id, &by(name)).into();
            }
        }
        let known = |word: &str| word.len() >= SHORTEST && self.by_text.contains_key(word);
        if !words(&text).any(|(word, _)| known(word)) {
            return text;
        }
        let renamed = words(&text).map(|(word, rest)| match self.by_text.get(word) {
            Some(name) if word.len() >= SHORTEST => by(name) + rest,
            _ => format!("{word}{rest}"),
        });
        Cow::Owned(renamed.collect())
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let letter = match self.what {
            IdKind::Message => 'm',
            IdKind::Chain => 'c',
            IdKind::Request => 'r',
            IdKind::Asker => 'i',
            IdKind::Queue => 'q',
        };
        write!(f, "{letter}{}", self.number)
    }
}

fn is_in_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

fn is_word(id: &str) -> bool {
    id.chars().all(is_in_word)
}

/// Returns the words of a text, each with the separator that follows it.
fn words(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = rest.find(|c| !is_in_word(c)).unwrap_or(rest.len());
        let next = rest[end..].find(is_in_word).map_or(rest.len(), |at| end + at);
        let (word, between) = (&rest[..end], &rest[end..next]);
        rest = &rest[next..];
        Some((word, between))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_what_is_between_them_are_the_whole_text() {
        for text in ["", "one", "  two words, ", "a--b_c d.e\u{e9}", "..."] {
            let again: String = words(text).map(|(word, rest)| format!("{word}{rest}")).collect();
            assert_eq!(again, text);
        }
    }
}
