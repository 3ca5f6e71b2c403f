//! Methods that a broker sends, as far as they hold names or tables.

use super::field::{Flaw, check_short, check_table, long, readable, short, take};

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
    !matches!(checked, Err(Flaw::NotUtf8 | Flaw::TooDeep))
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

/// Calls `each` with the letter and the bytes of each argument.
fn each_argument(payload: &[u8], mut each: impl FnMut(u8, &[u8]) -> Result<(), Flaw>) -> Result<(), Flaw> {
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

    #[test]
    fn methods_without_names_pass() {
        assert!(is_readable(&[0, 60, 0, 80, 0, 0, 0, 0, 0, 0, 0, 1, 0]));
        assert!(is_readable(&[0]));
    }
}
