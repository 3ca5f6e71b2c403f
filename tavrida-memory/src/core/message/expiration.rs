//! The `expiration` property: milliseconds as text, read as Erlang's `string:to_integer` does.

use std::time::Duration;

use crate::core::erlang;

/// Ten years: the longest time to live that RabbitMQ accepts.
const LONGEST_TTL: i128 = 315_360_000_000;

/// Returns the time to live of a text.
///
/// # Errors
///
/// RabbitMQ's reason why the text is invalid.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    // Fast path for usual values: these are whole numbers, and none is too large.
    if let Ok(millis) = text.parse::<u32>() {
        return Ok(Duration::from_millis(millis.into()));
    }
    let (sign, digits) = match text.as_bytes().first() {
        Some(b'-') => (-1, &text[1..]),
        Some(b'+') => (1, &text[1..]),
        _ => (1, text),
    };
    let end = digits.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(digits.len());
    let (number, rest) = digits.split_at(end);
    if number.is_empty() {
        return Err("no_integer".to_owned());
    }
    if !rest.is_empty() {
        return Err(format!("{{leftover_string,{}}}", erlang::string(rest)));
    }
    let Ok(millis) = number.parse::<i128>() else {
        let name = if sign < 0 { "value_negative" } else { "value_too_large" };
        let sign = if sign < 0 { "-" } else { "" };
        return Err(format!("{{{name},{sign}{}}}", number.trim_start_matches('0')));
    };
    check_range(sign * millis)?;
    let millis =
        u64::try_from(millis.min(LONGEST_TTL)).expect("it is between 0 and the longest time to live");
    Ok(Duration::from_millis(millis))
}

/// Checks the range of a time to live, for arguments and for the `expiration` property.
pub(crate) fn check_range(millis: i128) -> Result<(), String> {
    if millis > LONGEST_TTL {
        Err(format!("{{value_too_large,{millis}}}"))
    } else if millis < 0 {
        Err(format!("{{value_negative,{millis}}}"))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r66_what_is_a_time_to_live_and_why_not() {
        assert_eq!(parse("0"), Ok(Duration::ZERO));
        assert_eq!(parse("+007"), Ok(Duration::from_millis(7)));
        assert_eq!(parse("315360000000"), Ok(Duration::from_millis(315_360_000_000)));
        for (text, reason) in [
            ("", "no_integer"),
            ("abc", "no_integer"),
            (" 5", "no_integer"),
            ("5abc", "{leftover_string,\"abc\"}"),
            ("1.5", "{leftover_string,\".5\"}"),
            ("-1", "{value_negative,-1}"),
            ("315360000001", "{value_too_large,315360000001}"),
        ] {
            assert_eq!(parse(text), Err(reason.to_owned()), "{text:?}");
        }
    }
}
