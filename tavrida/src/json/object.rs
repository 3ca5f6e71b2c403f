//! [`Object`]: one JSON object, as text.

use std::borrow::Cow;
use std::fmt;

use bytestring::ByteString;
use rustc_hash::FxHashMap;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use smallvec::SmallVec;

use super::flaw::without_value;
use super::names::unescaped;
use super::{scan, to_string};

/// A JSON object that is known to be well-formed, stored as its text. Clones share it.
///
/// The last of duplicate names counts, at each level, as in Python. A number that is not finite is refused when it is written.
///
/// ```
/// use tavrida::json::Object;
///
/// let order = Object::from_serialize(&serde_json::json!({ "id": 7, "cents": 500 }))?;
/// assert_eq!(order.get::<u64>("cents")?, Some(500));
/// assert_eq!(order.get::<u64>("nope")?, None);
/// # Ok::<(), tavrida::json::ObjectError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Object(ByteString);

impl Object {
    /// `{}`.
    pub const EMPTY: Self = Self(ByteString::from_static("{}"));

    /// Returns the object that a value serialises to.
    ///
    /// # Errors
    ///
    /// The value does not serialise, or not to an object.
    pub fn from_serialize(value: &(impl Serialize + ?Sized)) -> Result<Self, ObjectError> {
        let text = to_string(value).map_err(|error| ObjectError::new("does not serialise", error))?;
        Self::from_json(text)
    }

    /// Returns the object of a text that is known to be JSON.
    pub(crate) fn from_json(text: String) -> Result<Self, ObjectError> {
        if text.starts_with('{') { Ok(Self(text.into())) } else { Err(ObjectError::not_an_object(&text)) }
    }

    /// Parses a text.
    ///
    /// # Errors
    ///
    /// The text is not JSON, or not an object.
    pub fn parse(text: impl Into<ByteString>) -> Result<Self, ObjectError> {
        let text = text.into();
        if scan::members(&text, |_, _| {}).is_some() {
            return Ok(Self(text.slice_ref(text.trim_ascii())));
        }
        match serde_json::from_str::<&RawValue>(&text) {
            Ok(raw) => Err(ObjectError::not_an_object(raw.get())),
            Err(error) => Err(ObjectError::new("is no JSON", error)),
        }
    }

    /// Wraps a text that a parser has recognised as an object.
    pub(crate) fn from_checked(text: ByteString) -> Self {
        debug_assert!(text.starts_with('{') && text.ends_with('}'));
        Self(text)
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether it has no members.
    pub fn is_empty(&self) -> bool {
        self.0[1..].trim_start().starts_with('}')
    }

    /// Returns the value of one member. `None` if there is no such member.
    ///
    /// Each call scans the text: to read several members, see [`members`](Object::members).
    ///
    /// # Errors
    ///
    /// The member is of another type; the error names it.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, ObjectError> {
        let mut found = None;
        self.each(|key, value| {
            if unescaped(key) == name {
                found = Some(value);
            }
        });
        member(name, found)
    }

    /// Returns the whole object as a type.
    ///
    /// # Errors
    ///
    /// The object does not fit; the error names the member if there is one.
    pub fn to<T: DeserializeOwned>(&self) -> Result<T, ObjectError> {
        super::read(&self.0).map_err(|error| ObjectError::new("does not fit", error))
    }

    /// Returns the members, to be read one by one.
    pub fn members(&self) -> Members<'_> {
        let mut members = SmallVec::new();
        self.each(|name, value| members.push((Name::new(name), value)));
        Members(members)
    }

    fn each<'a>(&'a self, each: impl FnMut(&'a str, &'a str)) {
        scan::members(&self.0, each).expect("an object was checked when it was made");
    }

    /// Returns this object with the members of others over it: later ones win, as in Python's `dict.update`.
    pub fn merged<'a>(&'a self, others: impl IntoIterator<Item = &'a Object>) -> Object {
        let mut sources = std::iter::once(self).chain(others).filter(|object| !object.is_empty());
        let Some(first) = sources.next() else { return Self::EMPTY };
        let Some(second) = sources.next() else { return first.clone() };
        let mut members = first.members();
        for object in std::iter::once(second).chain(sources) {
            members.0.extend(object.members().0);
        }
        Object(members.last_of_each().to_text().into())
    }
}

impl Default for Object {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The members of an [`Object`], located but not parsed.
#[derive(Debug, Clone)]
pub struct Members<'a>(List<'a>);

/// Most objects have few members.
type List<'a> = SmallVec<[(Name<'a>, &'a str); 6]>;

impl<'a> Members<'a> {
    /// Returns the value of one member. `None` if there is no such member.
    ///
    /// # Errors
    ///
    /// The member is of another type; the error names it.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, ObjectError> {
        member(name, self.raw(name))
    }

    /// Returns the text of one member's value.
    pub fn raw(&self, name: &str) -> Option<&'a str> {
        self.0.iter().rev().find(|(key, _)| key.text == name).map(|(_, value)| *value)
    }

    /// Returns the names, in the order of the text.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.text.as_ref())
    }

    /// Keeps each name once, at its first position, with its last value.
    fn last_of_each(self) -> Self {
        let mut members = List::with_capacity(self.0.len());
        let mut places = Places::default();
        for (name, value) in self.0 {
            match places.find(&members, &name.text) {
                Some(place) => members[place].1 = value,
                None => {
                    places.add(&members, name.text.clone());
                    members.push((name, value));
                }
            }
        }
        Self(members)
    }

    fn to_text(&self) -> String {
        let len = self.0.iter().map(|(name, value)| name.json.len() + value.len() + 2).sum::<usize>();
        let mut text = String::with_capacity(len + 2);
        for (index, (name, value)) in self.0.iter().enumerate() {
            text.push(if index == 0 { '{' } else { ',' });
            text.extend([name.json, ":", value]);
        }
        if text.is_empty() {
            text.push('{');
        }
        text.push('}');
        text
    }
}

/// Finds names in a list: linearly in a short list, through a table in a long one.
#[derive(Default)]
struct Places<'a>(Option<FxHashMap<Cow<'a, str>, usize>>);

impl<'a> Places<'a> {
    const FEW: usize = 16;

    fn find(&self, members: &List<'a>, name: &str) -> Option<usize> {
        match &self.0 {
            Some(table) => table.get(name).copied(),
            None => members.iter().position(|(member, _)| member.text == name),
        }
    }

    /// Records a name that follows those of a list.
    fn add(&mut self, members: &List<'a>, name: Cow<'a, str>) {
        if let Some(table) = &mut self.0 {
            table.insert(name, members.len());
        } else if members.len() == Self::FEW {
            let before = members.iter().map(|(name, _)| name.text.clone());
            self.0 = Some(before.chain([name]).zip(0..).collect());
        }
    }
}

fn member<T: DeserializeOwned>(name: &str, value: Option<&str>) -> Result<Option<T>, ObjectError> {
    value.map(|raw| super::read(raw).map_err(|error| ObjectError::member(name, error))).transpose()
}

/// The name of a member.
#[derive(Debug, Clone)]
struct Name<'a> {
    /// The JSON text, with quotes and escapes.
    json: &'a str,
    text: Cow<'a, str>,
}

impl<'a> Name<'a> {
    fn new(json: &'a str) -> Self {
        Self { json, text: unescaped(json) }
    }
}

/// A text or value is not a JSON object, or does not fit the requested type.
#[derive(Debug)]
pub struct ObjectError {
    member: Option<String>,
    flaw: String,
    source: Option<serde_json::Error>,
}

impl ObjectError {
    fn new(flaw: &str, source: serde_json::Error) -> Self {
        Self { member: None, flaw: flaw.to_owned(), source: Some(source) }
    }

    fn member(name: &str, source: serde_json::Error) -> Self {
        Self { member: Some(name.to_owned()), flaw: "does not fit".to_owned(), source: Some(source) }
    }

    fn not_an_object(text: &str) -> Self {
        let kind = match text.as_bytes().first() {
            Some(b'[') => "an array",
            Some(b'"') => "a string",
            Some(b't' | b'f') => "a boolean",
            Some(b'n') => "null",
            _ => "a number",
        };
        Self { member: None, flaw: format!("is no object but {kind}"), source: None }
    }

    /// Returns the member that did not fit, if a member was requested.
    pub fn member_name(&self) -> Option<&str> {
        self.member.as_deref()
    }
}

impl fmt::Display for ObjectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.member {
            Some(name) => write!(f, "the member '{name}' {}", self.flaw)?,
            None => write!(f, "the value {}", self.flaw)?,
        }
        match &self.source {
            Some(source) => write!(f, ": {}", without_value(source)),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ObjectError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(crate::error::Kind::WrongParameters.source())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn object(text: &'static str) -> Object {
        Object::parse(ByteString::from_static(text)).expect("an object")
    }

    #[test]
    fn a_text_that_is_no_object_is_refused_with_its_beginning() {
        assert_eq!(Object::parse("[1, 2]").unwrap_err().to_string(), "the value is no object but an array");
        assert!(Object::parse("{").unwrap_err().to_string().contains("is no JSON"));
        assert!(Object::from_serialize(&7).is_err());
    }

    #[test]
    fn the_last_of_two_equal_names_counts() {
        let twice = object(r#"{"a": 1, "a": 2}"#);
        assert_eq!(twice.get::<i64>("a").unwrap(), Some(2));
        #[derive(serde::Deserialize)]
        struct Derived {
            a: i64,
        }
        assert_eq!(twice.to::<Derived>().unwrap().a, 2);
        assert_eq!(twice.merged([&object(r#"{"b": 3}"#)]).as_str(), r#"{"a":2,"b":3}"#);
    }

    #[test]
    fn an_ill_typed_member_is_named() {
        let error = object(r#"{"id": "seven"}"#).get::<u64>("id").unwrap_err();
        assert_eq!(error.member_name(), Some("id"));
        assert!(error.to_string().starts_with("the member 'id' does not fit: invalid type"), "{error}");
    }

    #[test]
    fn merging_is_pythons_update() {
        let merged = object(r#"{"a": 1, "b": [1, 2]}"#).merged([&object(r#"{"b":"new", "c\n":null}"#)]);
        assert_eq!(merged.to::<Value>().unwrap(), json!({"a": 1, "b": "new", "c\n": null}));
    }

    #[test]
    fn merging_with_nothing_shares_the_text() {
        let one = object(r#"{"a": 1}"#);
        assert_eq!(Object::EMPTY.merged([&one, &object("{ }")]).as_str().as_ptr(), one.as_str().as_ptr());
        assert_eq!(Object::EMPTY.merged([]), Object::EMPTY);
    }

    #[test]
    fn numbers_keep_their_digits() {
        let big = object(r#"{"n": 123456789012345678901234567890}"#);
        let merged = big.merged([&object(r#"{"x": 1e+100}"#)]);
        assert_eq!(merged.as_str(), r#"{"n":123456789012345678901234567890,"x":1e+100}"#);
    }

    #[test]
    fn half_a_surrogate_pair_in_a_name_is_kept_as_it_stands() {
        let python = object(r#"{"\ud800": 1, "a": 2, "\u0062": 3}"#);
        assert_eq!(python.members().names().collect::<Vec<_>>(), [r#""\ud800""#, "a", "b"]);
        let merged = python.merged([&object(r#"{"b": 4}"#)]);
        assert_eq!(merged.as_str(), r#"{"\ud800":1,"a":2,"\u0062":4}"#);
    }

    #[test]
    fn ten_thousand_levels_are_kept_and_refused_only_when_read_as_a_tree() {
        let deep = format!(r#"{{"deep": {}1{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
        let deep = Object::parse(deep).expect("depth alone is no flaw");
        let error = deep.get::<Value>("deep").unwrap_err();
        assert!(error.to_string().contains("recursion limit"), "{error}");
    }
}
