//! Names of members, as JSON escapes them.

use std::borrow::Cow;

/// Decodes a name from JSON.
///
/// Python also escapes unpaired surrogates, which are not valid text: such a name keeps its JSON form.
pub(crate) fn unescaped(json: &str) -> Cow<'_, str> {
    decoded(json).unwrap_or(Cow::Borrowed(json))
}

/// Decodes a name from JSON; `None` if there is an unpaired surrogate in it.
pub(super) fn decoded(json: &str) -> Option<Cow<'_, str>> {
    if json.bytes().any(|byte| byte == b'\\') {
        serde_json::from_str(json).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(&json[1..json.len() - 1]))
    }
}
