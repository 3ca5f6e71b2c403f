//! Bodies are read as Python's `json` reads them, which is how the original reads: compared over random texts, in one process of Python.
//!
//! Different by intention: `NaN` and the like are `null` here; a float beyond all floats, and a value (not a name) with half a surrogate
//! pair, do not fit any type.

use std::io::Write;
use std::process::{Command, Stdio};

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Number, Value};

use crate::envelope;
use crate::field::{ShortString, Table};
use crate::json::Object;
use crate::transport::{Properties, Publication};

/// Reads a body for each line, which is its JSON string. Answers with `null` (not accepted), or with payload and context, each `null` if
/// a value in it does not fit.
const READER: &str = r#"
import json, math, sys

class Unfit:
    pass

def number(text):
    value = float(text)
    return value if math.isfinite(value) else Unfit()

def integer(text):
    value = int(text)
    return value if -2**63 <= value < 2**64 else number(text)

def plain(value):
    if isinstance(value, Unfit):
        raise ValueError
    if isinstance(value, str):
        value.encode()
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {name(key): plain(item) for key, item in value.items()}
    return value

def name(text):
    try:
        text.encode()
        return text
    except UnicodeEncodeError:
        return json.dumps(text)

def part(value):
    try:
        return plain(value)
    except (ValueError, UnicodeEncodeError):
        return None

for line in sys.stdin:
    text = json.loads(line)
    try:
        body = json.loads(text, parse_float=number, parse_int=integer, parse_constant=lambda _: None)
        payload, context = body["payload"], body["context"]
        context = {} if context is None else context
        accepted = isinstance(payload, dict) and isinstance(context, dict)
    except (ValueError, KeyError, TypeError):
        accepted = False
    print(json.dumps([part(payload), part(context)] if accepted else None))
"#;

const NAMES: [&str; 8] =
    ["\"a\"", "\"b\"", "\"\\u0061\"", "\"\"", "\"\\ud800\"", "\"payload\"", "\"\\\"\"", "\"\u{e9}\""];

const SCALARS: [&str; 22] = [
    "null",
    "true",
    "false",
    "0",
    "-0",
    "-0.0",
    "0.1",
    "9007199254740991.0",
    "9007199254740993",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775809",
    "123456789012345678901234567890",
    "2.2250738585072011e-308",
    "1e999",
    "NaN",
    "-Infinity",
    "\"NaN\"",
    "\"\\ud83d\\ude00\"",
    "\"\\ud800\"",
    "\"\u{1f600}\\n\"",
    "\"\u{7f}\"",
];

/// What is inserted to spoil a text.
const FRAGMENTS: [&str; 22] = [
    "{", "}", "[", "]", "\"", ",", ":", "\\", "null", "NaN", "-", "+", ".", "e", "01", " ", "\n", "\0",
    "\u{a0}", "\u{feff}", "{}", "1",
];

fn values() -> impl Strategy<Value = String> {
    let number = any::<u64>().prop_map(|bits| {
        format!("{:e}", Some(f64::from_bits(bits)).filter(|n| n.is_finite()).unwrap_or(1.5))
    });
    let leaf = prop_oneof![3 => select(&SCALARS[..]).prop_map(str::to_owned), 1 => number];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(", "))),
            members(inner),
        ]
    })
}

fn members(values: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let member = (select(&NAMES[..]), values, select(&["", " ", "\t\r\n"][..]));
    let member =
        member.prop_map(|(name, value, space)| format!("{space}{name}{space}:{space}{value}{space}"));
    vec(member, 0..5).prop_map(|members| format!("{{{}}}", members.join(",")))
}

fn bodies() -> impl Strategy<Value = String> {
    let context = prop_oneof![Just("null".to_owned()), members(values())];
    let bruises = vec((any::<Index>(), select(&FRAGMENTS[..]), any::<bool>()), 0..3);
    (members(values()), context, bruises, any::<bool>()).prop_map(|(payload, context, bruises, whole)| {
        let body = format!(r#"{{"payload": {payload}, "context": {context}}}"#);
        let mut chars: Vec<char> = body.chars().collect();
        for (place, fragment, take_out) in bruises.into_iter().filter(|_| !whole) {
            let place = place.index(chars.len() + 1);
            let behind = if take_out { (place + 1).min(chars.len()) } else { place };
            chars.splice(place..behind, fragment.chars().filter(|_| !take_out));
        }
        chars.into_iter().collect()
    })
}

fn python(texts: &[String]) -> Vec<Value> {
    let lines: String =
        texts.iter().map(|text| serde_json::to_string(text).expect("a string") + "\n").collect();
    let mut python = Command::new("python3")
        .args(["-c", READER])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect(
            "this test compares with Python: install python3 (Debian: `apt-get install python3-minimal`)",
        );
    let mut stdin = python.stdin.take().expect("it is piped");
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let output = python.wait_with_output().expect("it runs");
    writer.join().expect("no panic").expect("it reads to the end");
    let output = String::from_utf8(output.stdout).expect("Python writes UTF-8");
    output.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// What is read here, in the same form.
fn ours(body: &str) -> Value {
    let headers =
        ["message_type", "correlation_id", "request_id", "message_id", "source", "destination", "reply_to"];
    let value = |name: &str| match name {
        "message_type" => "request",
        "source" | "destination" => "a.b",
        _ => "",
    };
    let headers: Table =
        headers.iter().map(|name| (ShortString::try_from(*name).expect("short"), value(name))).collect();
    let mut publication =
        Publication::new(ShortString::default(), ShortString::default(), Bytes::from(body.to_owned()));
    publication.properties = Properties { headers: Some(headers), ..Properties::default() };
    match envelope::decode(&publication) {
        Ok(message) => Value::from(vec![read(message.payload().object()), read(&message.context().object())]),
        Err(_) => Value::Null,
    }
}

/// All ways to read an object agree.
fn read(object: &Object) -> Value {
    let whole: Option<Map<String, Value>> = object.to().ok();
    let members = object.members();
    let one_by_one: Option<Map<String, Value>> =
        members.names().map(|name| Some((name.to_owned(), members.get::<Value>(name).ok()??))).collect();
    let got: Option<Map<String, Value>> =
        members.names().map(|name| Some((name.to_owned(), object.get::<Value>(name).ok()??))).collect();
    let merged = object.merged([&Object::parse(r#"{"a": 0}"#).expect("JSON"), object]);
    assert_eq!((&whole, &whole), (&one_by_one, &got), "{object}");
    if members.raw("a").is_some() {
        assert_eq!(merged.to().ok(), whole, "{object}");
    }
    whole.map_or(Value::Null, |members| in_ascii(Value::Object(members)))
}

/// A name with half a surrogate pair stands as it was sent here, and in ASCII in what Python answers.
fn in_ascii(value: Value) -> Value {
    let name = |name: String| match name.strip_prefix('"') {
        Some(rest) if rest.contains("\\ud") => {
            let escaped =
                |c: char| if c.is_ascii() { c.to_string() } else { format!("\\u{:04x}", u32::from(c)) };
            name.chars().map(escaped).collect()
        }
        _ => name,
    };
    match value {
        Value::Object(members) => {
            members.into_iter().map(|(key, value)| (name(key), in_ascii(value))).collect::<Map<_, _>>().into()
        }
        Value::Array(items) => items.into_iter().map(in_ascii).collect(),
        other => other,
    }
}

/// Numbers by their value: Python's whole numbers have any length.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            one == other || (is_real(one) || is_real(other)) && one.as_f64() == other.as_f64()
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, value)| other.get(name).is_some_and(|other| same(value, other)))
        }
        _ => one == other,
    }
}

fn is_real(number: &Number) -> bool {
    number.is_f64()
}

#[test]
fn a_body_is_read_as_python_reads_it() {
    let mut runner = TestRunner::new(crate::seeded::config());
    let strategy = bodies();
    let texts: Vec<String> =
        (0..2000).map(|_| strategy.new_tree(&mut runner).expect("a text").current()).collect();
    let answers = python(&texts);
    assert_eq!(answers.len(), texts.len());
    let accepted = answers.iter().filter(|answer| !answer.is_null()).count();
    assert!((500..1950).contains(&accepted), "{accepted} of {} are bodies", texts.len());
    for (text, expected) in texts.iter().zip(&answers) {
        let found = ours(text);
        assert!(same(&found, expected), "{text}\n  here:   {found}\n  Python: {expected}");
    }
}
