//! Methods that a broker sends, as far as they hold names or tables.

use tavrida::transport::Broker;

use super::field::{Unreadable, check_short, check_table, long, readable, short, take, value_end};

/// `connection.start`.
const START: [u8; 4] = [0, 10, 0, 10];

/// The arguments of a method, one letter each: `s` short string, `S` long string, `F` table, or how many bytes.
fn layout(class: u16, method: u16) -> &'static [u8] {
    match (class, method) {
        // connection: start, open-ok, close, blocked
        (10, 10) => b"11FSS",
        (10, 41) | (10, 60) => b"s",
        (10, 50) | (20, 40) => b"2s22",
        // queue: declare-ok
        (50, 11) => b"s44",
        // basic: consume-ok, cancel, cancel-ok, return, deliver, get-ok
        (60, 21 | 31) => b"s",
        (60, 30) => b"s1",
        (60, 50) => b"2sss",
        (60, 60) => b"s81ss",
        (60, 71) => b"81ss4",
        _ => b"",
    }
}

/// Whether lapin can read a method; what is malformed is left to it.
pub(super) fn is_readable(payload: &[u8]) -> bool {
    let checked = each_argument(payload, |letter, bytes| match letter {
        b's' => check_short(bytes, 0).map(drop),
        b'F' => check_table(&bytes[4..]),
        _ => Ok(()),
    });
    !matches!(checked, Err(Unreadable::NotUtf8 | Unreadable::TooDeep))
}

/// The method with signs in names that are not UTF-8, and without tables that are not readable.
pub(super) fn rewritten(payload: &[u8]) -> Vec<u8> {
    let mut better = payload[..4].to_vec();
    let split = each_argument(payload, |letter, bytes| {
        match letter {
            b's' => {
                better.push(bytes[0]);
                better.extend(readable(&bytes[1..]));
            }
            b'F' if check_table(&bytes[4..]).is_err() => better.extend([0; 4]),
            _ => better.extend_from_slice(bytes),
        }
        Ok(())
    });
    if split.is_ok() { better } else { payload.to_vec() }
}

/// What a broker reports of itself in `connection.start`, if this is it.
pub(super) fn broker(payload: &[u8]) -> Option<Broker> {
    // Behind the version of the protocol.
    let arguments = payload.strip_prefix(&START)?.get(2..)?;
    let table = &arguments[long(arguments, 0).ok()?];
    Some(Broker::new(text(table, "product"), text(table, "version")))
}

/// The text of this name in a table, or an empty one.
fn text(table: &[u8], name: &str) -> String {
    let mut at = 0;
    while let Ok(found) = short(table, at) {
        let value = found.end;
        if &table[found] == name.as_bytes() && table.get(value) == Some(&b'S') {
            let text = long(table, value + 1).map(|text| String::from_utf8_lossy(&table[text]));
            // It goes into logs.
            return text.map_or_else(|_| String::new(), |text| text.replace(char::is_control, "?"));
        }
        let Ok(end) = value_end(table, value) else { break };
        at = end;
    }
    String::new()
}

/// Calls `each` with the letter and the bytes of each argument.
fn each_argument(
    payload: &[u8],
    mut each: impl FnMut(u8, &[u8]) -> Result<(), Unreadable>,
) -> Result<(), Unreadable> {
    let ids = &payload[take(payload, 0, 4)?];
    let letters = layout(u16::from_be_bytes([ids[0], ids[1]]), u16::from_be_bytes([ids[2], ids[3]]));
    let mut at = 4;
    for letter in letters {
        let end = match letter {
            b's' => short(payload, at)?.end,
            b'S' | b'F' => long(payload, at)?.end,
            digit => take(payload, at, usize::from(digit - b'0'))?.end,
        };
        each(*letter, &payload[at..end])?;
        at = end;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deliver(key: &[u8]) -> Vec<u8> {
        let ids = [0, 60, 0, 60];
        [&ids[..], &[1, b't'], &[0; 9], &[2, b'e', b'x'], &[key.len() as u8], key].concat()
    }

    #[test]
    fn a_routing_key_that_is_not_utf8_keeps_its_length() {
        assert!(is_readable(&deliver("é".as_bytes())));
        let bad = deliver(b"k\xffy");
        assert!(!is_readable(&bad));
        assert_eq!(rewritten(&bad), deliver(b"k?y"));
    }

    #[test]
    fn a_text_that_was_cut_within_a_letter_is_readable_afterwards() {
        let close = [&[0, 20, 0, 40, 1, 0x94, 4][..], b"no \xc3", &[0, 0, 0, 0]].concat();
        assert!(!is_readable(&close));
        assert!(is_readable(&rewritten(&close)));
    }

    fn start(entries: &[u8]) -> Vec<u8> {
        [&START[..], &[0, 9], &(entries.len() as u32).to_be_bytes(), entries, b"\0\0\0\x05PLAIN\0\0\0\0"]
            .concat()
    }

    #[test]
    fn a_broker_reports_its_product_and_version_among_other_properties() {
        let nested = b"\x0ccapabilitiesF\0\0\0\x0d\x07productt\x01\x01xV";
        let entries =
            [&nested[..], b"\x07productS\0\0\0\x08RabbitMQ", b"\x07versionS\0\0\0\x054.0.5"].concat();
        assert_eq!(broker(&start(&entries)), Some(Broker::new("RabbitMQ", "4.0.5")));
    }

    #[test]
    fn a_broker_that_reports_nothing_readable_has_no_name() {
        for entries in [&b""[..], b"\x07productI\0\0\0\x01", b"\x07productS\0\0\0\x09Rabbit", b"\x20"] {
            assert_eq!(broker(&start(entries)), Some(Broker::new("", "")), "{entries:?}");
        }
        assert_eq!(broker(&START), None);
        assert_eq!(broker(&deliver(b"key")), None);
    }

    #[test]
    fn a_report_that_would_forge_a_line_of_a_log_does_not() {
        let entries = b"\x07productS\0\0\0\x03a\nb";
        assert_eq!(broker(&start(entries)), Some(Broker::new("a?b", "")));
    }

    #[test]
    fn methods_without_names_pass() {
        assert!(is_readable(&[0, 60, 0, 80, 0, 0, 0, 0, 0, 0, 0, 1, 0]));
        assert!(is_readable(&[0]));
    }
}
