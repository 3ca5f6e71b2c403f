//! JSON as texts show it: on one line, the members of objects sorted by name.

use std::fmt::{self, Write};

use serde_json::Value;

/// Returns JSON text with the members of its objects sorted; other text stays as it is.
pub(super) fn sorted(text: &str) -> String {
    match serde_json::from_str::<Value>(text) {
        Ok(value) => {
            let mut out = String::with_capacity(text.len());
            write(&value, &mut out).expect("a String takes everything");
            out
        }
        Err(_) => text.to_owned(),
    }
}

fn write(value: &Value, out: &mut String) -> fmt::Result {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            list(out, ['{', '}'], members, |(name, value), out| {
                write!(out, "{}:", Value::from(name.as_str()))?;
                write(value, out)
            })
        }
        Value::Array(items) => list(out, ['[', ']'], items, write),
        other => write!(out, "{other}"),
    }
}

fn list<T>(
    out: &mut String,
    [open, close]: [char; 2],
    items: impl IntoIterator<Item = T>,
    mut one: impl FnMut(T, &mut String) -> fmt::Result,
) -> fmt::Result {
    out.push(open);
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        one(item, out)?;
    }
    out.push(close);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::sorted;

    #[test]
    fn members_are_sorted_at_every_depth_and_nothing_else_is_changed() {
        let text = r#"{"b": [1, {"z": null, "a": "x\"y"}], "a": 1.5}"#;
        assert_eq!(sorted(text), r#"{"a":1.5,"b":[1,{"a":"x\"y","z":null}]}"#);
        assert_eq!(sorted("no JSON"), "no JSON");
    }
}
