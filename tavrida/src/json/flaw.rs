//! What serde says of a value that does not fit, without the value.

use crate::show::cut;

/// Where serde quotes what it found: the words before, and those after.
const QUOTES: [(&str, &str); 6] = [
    ("invalid type: ", ", expected "),
    ("invalid value: ", ", expected "),
    ("unknown variant `", "`, expected "),
    ("unknown variant `", "`, there are no variants"),
    ("unknown field `", "`, expected "),
    ("unknown field `", "`, there are no fields"),
];

/// The longest text of an error, in bytes.
const LONGEST: usize = 256;

/// The text of an error without the value that was found: a payload may hold secrets, and be of any length, and errors are logged.
///
/// serde writes `invalid type: string "the whole value", expected i64`.
pub(crate) fn without_value(error: &serde_json::Error) -> String {
    let text = error.to_string();
    for (before, after) in QUOTES {
        let Some(found) = text.find(before).map(|at| at + before.len()) else { continue };
        let Some(rest) = text.rfind(after).filter(|rest| *rest >= found) else { continue };
        let kind = match before.starts_with("invalid") {
            true => text[found..rest].split(['"', '`']).next().unwrap_or_default().trim_end(),
            false => "",
        };
        return cut(&format!("{}{kind}{}", &text[..found], &text[rest..]), LONGEST).into_owned();
    }
    cut(&text, LONGEST).into_owned()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    enum Colour {
        #[serde(rename = "red")]
        Red,
    }

    fn refused<'a, T: Deserialize<'a>>(json: &'a str) -> String {
        match serde_json::from_str::<T>(json) {
            Ok(_) => panic!("{json} does not fit"),
            Err(error) => without_value(&error),
        }
    }

    #[test]
    fn the_value_is_not_in_the_text_and_its_kind_is() {
        let card = refused::<i64>(r#""4111 1111, expected `x`: \"1111\"""#);
        assert!(card.starts_with("invalid type: string, expected i64"), "{card}");
        assert!(!card.contains("1111"), "{card}");
        assert!(refused::<u8>("4111").starts_with("invalid value: integer, expected u8"));
        assert!(refused::<String>("true").starts_with("invalid type: boolean, expected a string"));
        assert!(refused::<i64>("[1]").starts_with("invalid type: sequence, expected i64"));
        let colour = refused::<Colour>(r#""4111""#);
        assert!(colour.contains("expected `red`") && !colour.contains("4111"), "{colour}");
        assert!(matches!(serde_json::from_str(r#""red""#), Ok(Colour::Red)));
    }

    #[test]
    fn what_quotes_nothing_stays() {
        assert!(refused::<i64>("{}").starts_with("invalid type: map, expected i64"));
        assert!(refused::<i64>("1 1").starts_with("trailing characters"));
    }
}
