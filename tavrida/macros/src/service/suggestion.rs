//! Suggestions for misspelt attributes.

use super::mark::Kind;

/// Returns what a misspelt attribute of a method probably means: a name of the builder or of the Python original, or one with a typing
/// error.
pub(super) fn for_method(name: &str) -> Option<Kind> {
    const OTHER_NAMES: [(&str, Kind); 16] = [
        ("rpc_method", Kind::Rpc),
        ("handle", Kind::Rpc),
        ("on_request", Kind::Rpc),
        ("on_response", Kind::Response),
        ("responses", Kind::Response),
        ("rpc_response_method", Kind::Response),
        ("handle_answer", Kind::Response),
        ("handle_error", Kind::Error),
        ("on_error", Kind::Error),
        ("errors", Kind::Error),
        ("rpc_error_method", Kind::Error),
        ("subscription", Kind::Subscribe),
        ("subscription_method", Kind::Subscribe),
        ("on_notification", Kind::Subscribe),
        ("notification", Kind::Subscribe),
        ("event", Kind::Subscribe),
    ];
    let other = OTHER_NAMES.iter().find(|(other, _)| *other == name).map(|(_, kind)| *kind);
    other.or_else(|| Kind::ALL.into_iter().find(|kind| is_slip(name, kind.word())))
}

/// Returns what a misspelt attribute of an argument probably means.
pub(super) fn for_argument(name: &str) -> Option<&'static str> {
    let ours = ["extract", "default", "param"];
    ours.into_iter().find(|word| is_slip(name, word) || (name == "extractor" && *word == "extract"))
}

/// Returns whether a word differs from another by one letter more, less, or wrong, or two swapped.
fn is_slip(word: &str, meant: &str) -> bool {
    let (word, meant): (Vec<char>, Vec<char>) = (word.chars().collect(), meant.chars().collect());
    let same = word.iter().zip(&meant).take_while(|(a, b)| a == b).count();
    let (rest, meant) = (&word[same..], &meant[same..]);
    match (rest, meant) {
        ([], []) => false,
        ([], [_]) | ([_], []) => true,
        ([], _) | (_, []) => false,
        ([a, after @ ..], [b, meant_after @ ..]) => {
            let swapped =
                matches!((after, meant_after), ([c, x @ ..], [d, y @ ..]) if a == d && b == c && x == y);
            swapped || after == meant_after || after == meant || rest == meant_after
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slip_is_understood_and_other_words_are_left_alone() {
        for (word, meant) in [
            ("rcp", Kind::Rpc),
            ("rpcs", Kind::Rpc),
            ("responce", Kind::Response),
            ("subscibe", Kind::Subscribe),
        ] {
            assert_eq!(for_method(word), Some(meant), "{word}");
        }
        for word in
            ["doc", "cfg", "allow", "expect", "inline", "test", "must_use", "instrument", "deny", "cold"]
        {
            assert_eq!(for_method(word), None, "{word}");
        }
        assert_eq!(for_argument("defualt"), Some("default"));
        assert_eq!(for_argument("cfg"), None);
    }
}
