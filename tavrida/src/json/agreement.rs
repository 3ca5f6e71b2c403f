//! Properties: our scanner accepts exactly the texts that serde_json accepts. Also random JSON for other tests.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Object, members};

proptest! {
    #![proptest_config(crate::seeded::config())]

    #[test]
    fn the_scanner_takes_what_serde_json_takes(text in bruised_texts()) {
        let raw = serde_json::from_str::<&RawValue>(&text);
        let is_object = raw.is_ok_and(|raw| raw.get().starts_with('{'));
        prop_assert_eq!(members(&text, |_, _| {}).is_some(), is_object, "{}", text);
    }

    #[test]
    fn each_float_arrives_as_it_was_sent(bits in any::<u64>(), short in any::<u32>(), whole in -(1_i64 << 53)..1 << 53) {
        for sent in [f64::from_bits(bits), f32::from_bits(short).into(), whole as f64].into_iter().filter(|n| n.is_finite()) {
            let object = Object::from_serialize(&serde_json::json!({ "n": sent })).expect("an object");
            let arrived: f64 = object.get("n").expect("a float").expect("there");
            prop_assert_eq!(arrived.to_bits(), sent.to_bits(), "{}", object);
        }
        if f32::from_bits(short).is_finite() {
            let object = Object::from_serialize(&std::collections::BTreeMap::from([("n", f32::from_bits(short))])).expect("an object");
            prop_assert_eq!(object.get::<f32>("n").expect("a float").expect("there").to_bits(), short, "{}", object);
        }
    }

    #[test]
    fn the_members_are_those_that_serde_json_finds(object in objects()) {
        let tree: serde_json::Map<String, Value> = object.to().expect("as deep as serde_json goes");
        let found = object.members();
        prop_assert!(found.names().all(|name| tree.contains_key(name)));
        for (name, value) in &tree {
            prop_assert_eq!(found.get(name).expect("any value fits"), Some(value.clone()));
        }
        prop_assert_eq!(&Object::parse(object.as_str().to_owned()).expect("an object"), &object);
    }
}

/// Objects as any sender may write them: any names, any depth, pretty-printed or not.
pub(crate) fn objects() -> impl Strategy<Value = Object> {
    texts().prop_map(|text| Object::parse(text).expect("members make an object"))
}

fn texts() -> impl Strategy<Value = String> {
    (btree_map(any::<String>(), values(), 0..4), any::<bool>()).prop_map(|(members, pretty)| {
        let text =
            if pretty { serde_json::to_string_pretty(&members) } else { serde_json::to_string(&members) };
        text.expect("values serialise")
    })
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f32>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(any::<String>(), inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Pieces of JSON, and of almost-JSON.
pub(crate) const FRAGMENTS: [&str; 36] = [
    "{",
    "}",
    "[",
    "]",
    "\"",
    ",",
    ":",
    "\\",
    "null",
    "true",
    "fals",
    "NaN",
    "-Infinity",
    "0",
    "1",
    "-",
    "+",
    ".",
    "e",
    "E-1",
    "1e999",
    "-0.5e+3",
    "01",
    " ",
    "\n",
    "\t",
    "\0",
    "\u{7f}",
    "\u{a0}",
    "é",
    "\\u00e9",
    "\\ud800",
    "\\uzzzz",
    "\\x",
    "{}",
    "[[]]",
];

/// Objects with pieces inserted and characters removed.
fn bruised_texts() -> impl Strategy<Value = String> {
    let bruises = vec((any::<Index>(), select(&FRAGMENTS[..]), any::<bool>()), 0..4);
    (texts(), bruises).prop_map(|(text, bruises)| {
        let mut chars: Vec<char> = text.chars().collect();
        for (place, fragment, take_out) in bruises {
            let place = place.index(chars.len() + 1);
            let behind = if take_out { (place + 1).min(chars.len()) } else { place };
            chars.splice(place..behind, fragment.chars().filter(|_| !take_out));
        }
        chars.into_iter().collect()
    })
}
