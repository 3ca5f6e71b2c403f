//! Reads values from JSON as Python does: of names that come twice in an object, at any level, the last counts; a name with half a
//! surrogate pair is a name.

use std::borrow::Cow;

use rustc_hash::{FxHashMap, FxHashSet};
use serde::de::DeserializeOwned;
use serde_json::Error;
use smallvec::SmallVec;

use super::names::decoded;
use super::scan;

/// Reads a value of a well-formed text.
///
/// # Errors
///
/// The value does not fit the type.
pub(crate) fn read<T: DeserializeOwned>(json: &str) -> Result<T, Error> {
    match is_regular(json) {
        true => serde_json::from_str(json),
        false => serde_json::from_str(&regular(json)),
    }
}

/// The names of one object, up to a position in the text.
#[derive(Default)]
struct Names<'a> {
    few: SmallVec<[Cow<'a, str>; 8]>,
    many: FxHashSet<Cow<'a, str>>,
}

impl<'a> Names<'a> {
    const FEW: usize = 16;

    /// Adds a name. Returns whether it is new.
    fn add(&mut self, name: Cow<'a, str>) -> bool {
        if self.few.contains(&name) || self.many.contains(&name) {
            return false;
        }
        match self.few.len() < Self::FEW {
            true => self.few.push(name),
            false => drop(self.many.insert(name)),
        }
        true
    }
}

/// Returns whether each object of a well-formed text has each of its names once, and all names are Unicode.
///
/// In such a text a string is a name if a colon follows.
fn is_regular(json: &str) -> bool {
    let bytes = json.as_bytes();
    if !matches!(bytes.first(), Some(b'{' | b'[')) {
        return true;
    }
    let (mut open, mut at) = (SmallVec::<[Names<'_>; 2]>::new(), 0);
    while at < bytes.len() {
        match bytes[at] {
            b'{' => open.push(Names::default()),
            b'}' => drop(open.pop()),
            b'"' => {
                let Some(end) = scan::string(bytes, at) else { return true };
                let is_name = bytes.get(scan::space(bytes, end)) == Some(&b':');
                if let Some(names) = open.last_mut().filter(|_| is_name)
                    && !decoded(&json[at..end]).is_some_and(|name| names.add(name))
                {
                    return false;
                }
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    true
}

/// The text of the same value with each name once, and only Unicode in names.
fn regular(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    value(json, 0, 0, &mut text);
    text
}

/// The deepest level that serde_json reads. It refuses, or skips, what is deeper.
const DEEPEST: usize = 128;

/// Writes the value at a position. Returns the position behind it.
fn value(json: &str, at: usize, depth: usize, text: &mut String) -> Option<usize> {
    let bytes = json.as_bytes();
    match bytes.get(at)? {
        b'{' if depth < DEEPEST => object(json, at, depth, text),
        b'[' if depth < DEEPEST => array(json, at, depth, text),
        _ => {
            let end = scan::value(bytes, at)?;
            text.push_str(&json[at..end]);
            Some(end)
        }
    }
}

fn array(json: &str, at: usize, depth: usize, text: &mut String) -> Option<usize> {
    let bytes = json.as_bytes();
    text.push('[');
    let mut at = scan::space(bytes, at + 1);
    while bytes.get(at)? != &b']' {
        at = scan::space(bytes, value(json, at, depth + 1, text)?);
        if bytes.get(at)? == &b',' {
            text.push(',');
            at = scan::space(bytes, at + 1);
        }
    }
    text.push(']');
    Some(at + 1)
}

fn object(json: &str, at: usize, depth: usize, text: &mut String) -> Option<usize> {
    let bytes = json.as_bytes();
    // The members in the order of their first names, with their last values.
    let mut members: Vec<(Cow<'_, str>, String)> = Vec::new();
    let mut places = FxHashMap::default();
    let mut at = scan::space(bytes, at + 1);
    while bytes.get(at)? != &b'}' {
        let end = scan::string(bytes, at)?;
        let name = &json[at..end];
        let mut member = String::new();
        at = value(json, scan::colon(bytes, end)?, depth + 1, &mut member)?;
        let place = *places.entry(decoded(name).unwrap_or(Cow::Borrowed(name))).or_insert(members.len());
        match members.get_mut(place) {
            Some(earlier) => earlier.1 = member,
            None => members.push((written(name), member)),
        }
        at = scan::space(bytes, at);
        if bytes.get(at)? == &b',' {
            at = scan::space(bytes, at + 1);
        }
    }
    for (index, (name, value)) in members.iter().enumerate() {
        text.push(if index == 0 { '{' } else { ',' });
        text.extend([name, ":", value.as_str()]);
    }
    text.push_str(if members.is_empty() { "{}" } else { "}" });
    Some(at + 1)
}

/// A name as JSON that can be read: one with half a surrogate pair becomes its own JSON text.
fn written(name: &str) -> Cow<'_, str> {
    match decoded(name) {
        Some(_) => Cow::Borrowed(name),
        None => serde_json::to_string(name).map_or(Cow::Borrowed(name), Cow::Owned),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::{Value, json};

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Inner {
        a: u128,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(untagged)]
    enum Either {
        Full { o: BTreeMap<String, u64> },
        Empty {},
    }

    #[test]
    fn of_names_that_come_twice_the_last_counts_at_any_level_for_any_type() {
        let twice = r#"{"a": 1, "a": 340282366920938463463374607431768211455}"#;
        assert_eq!(read::<Inner>(twice).expect("it fits"), Inner { a: u128::MAX });
        let either = read::<Either>(r#"{"o": 1, "o": {"b": 1, "b": 2}}"#).expect("it fits");
        assert_eq!(either, Either::Full { o: BTreeMap::from([("b".to_owned(), 2)]) });
        let in_list = r#"[ {"a":1,"b":[ ], "a" : 2 , "\u0061": 3}, { } , []]"#;
        assert_eq!(read::<Value>(in_list).expect("it fits"), json!([{"a": 3, "b": []}, {}, []]));
        assert_eq!(read::<(Inner, Value, Value)>(in_list).expect("it fits").0, Inner { a: 3 });
    }

    #[test]
    fn half_a_surrogate_pair_in_a_name_spoils_nothing_else() {
        let half = r#"{"\ud800": 1, "a": 1, "\ud83d\ude00": 2}"#;
        assert_eq!(read::<Inner>(half).expect("it fits").a, 1);
        let names: BTreeMap<String, i64> = read(half).expect("it fits");
        assert_eq!(names.into_keys().collect::<Vec<_>>(), [r#""\ud800""#, "a", "\u{1f600}"]);
    }

    #[test]
    fn many_names_are_compared_too() {
        let members = (0..100).map(|n| format!(r#""k{n}":{n},"#)).collect::<String>();
        let text = format!(r#"{{{members}"k99":100,"k0":-1}}"#);
        let read: BTreeMap<String, i64> = read(&text).expect("it fits");
        assert_eq!((read.len(), read["k99"], read["k0"]), (100, 100, -1));
    }

    #[test]
    fn what_is_deeper_than_anyone_reads_is_left_alone() {
        let (open, close) = (r#"{"a":1,"a":"#.repeat(10_000), "}".repeat(10_000));
        let deep = format!(r#"{{"a":7,"deep":{open}1{close}}}"#);
        assert_eq!(read::<Inner>(&deep).expect("it is skipped").a, 7);
        assert!(read::<Value>(&deep).unwrap_err().to_string().contains("recursion limit"));
    }
}
