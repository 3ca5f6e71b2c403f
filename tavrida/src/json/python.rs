//! `NaN`, `Infinity` and `-Infinity`, which Python's `json.dumps` writes and which are not JSON.

/// Returns the text with each such literal outside strings replaced by `null`. `None` if there is no such literal.
///
/// JavaScript's and serde_json's writers also write these numbers as `null`.
pub(crate) fn without_python_literals(text: &str) -> Option<String> {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    let mut in_string = false;
    while let Some(c) = rest.chars().next() {
        if in_string {
            let taken = if c == '\\' { rest.chars().take(2).map(char::len_utf8).sum() } else { c.len_utf8() };
            in_string = c != '"';
            clean.push_str(&rest[..taken]);
            rest = &rest[taken..];
            continue;
        }
        match ["-Infinity", "Infinity", "NaN"].iter().find_map(|literal| rest.strip_prefix(literal)) {
            Some(after) => {
                clean.push_str("null");
                rest = after;
            }
            None => {
                in_string = c == '"';
                clean.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    (clean != text).then_some(clean)
}

#[cfg(test)]
mod tests {
    use super::without_python_literals;

    #[test]
    fn literals_become_null_and_strings_keep_them() {
        let python = r#"{"a": NaN, "b": [-Infinity, Infinity], "NaN": "\"NaN"}"#;
        let json = r#"{"a": null, "b": [null, null], "NaN": "\"NaN"}"#;
        assert_eq!(without_python_literals(python).as_deref(), Some(json));
        assert_eq!(without_python_literals(r#"{"NaN": "NaN"}"#), None);
    }
}
