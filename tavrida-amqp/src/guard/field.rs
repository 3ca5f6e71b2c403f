//! Walks over encoded values without recursion and without copies.

use std::ops::Range;

use tavrida::field::MAX_DEPTH;

/// Why lapin cannot read a part of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreadable {
    TooDeep,
    NotUtf8,
    Malformed,
}

/// The bytes of `len` at `at`.
pub(super) fn take(bytes: &[u8], at: usize, len: usize) -> Result<Range<usize>, Unreadable> {
    let end = at.checked_add(len).filter(|end| *end <= bytes.len()).ok_or(Unreadable::Malformed)?;
    Ok(at..end)
}

/// The text of a short string at `at`.
pub(super) fn short(bytes: &[u8], at: usize) -> Result<Range<usize>, Unreadable> {
    let len = *bytes.get(at).ok_or(Unreadable::Malformed)?;
    take(bytes, at + 1, len.into())
}

/// The content of a long string, table or array at `at`.
pub(super) fn long(bytes: &[u8], at: usize) -> Result<Range<usize>, Unreadable> {
    let len = &bytes[take(bytes, at, 4)?];
    take(bytes, at + 4, u32::from_be_bytes([len[0], len[1], len[2], len[3]]) as usize)
}

/// Where the value at `at` ends, its letter first. Looks at its outermost level alone.
pub(super) fn value_end(bytes: &[u8], at: usize) -> Result<usize, Unreadable> {
    let letter = *bytes.get(at).ok_or(Unreadable::Malformed)?;
    let len = match letter {
        b'V' => 0,
        b't' | b'b' | b'B' => 1,
        b's' | b'U' | b'u' => 2,
        b'I' | b'i' | b'f' => 4,
        b'D' => 5,
        b'l' | b'L' | b'd' | b'T' => 8,
        b'S' | b'x' | b'A' | b'F' => return Ok(long(bytes, at + 1)?.end),
        _ => return Err(Unreadable::Malformed),
    };
    Ok(take(bytes, at + 1, len)?.end)
}

/// Checks the value at `at`, and all values in it.
pub(super) fn check_value(bytes: &[u8], mut at: usize) -> Result<(), Unreadable> {
    let mut open: Vec<(usize, u8)> = Vec::new();
    loop {
        let letter = *bytes.get(at).ok_or(Unreadable::Malformed)?;
        if matches!(letter, b'A' | b'F') {
            if open.len() == MAX_DEPTH {
                return Err(Unreadable::TooDeep);
            }
            let content = long(bytes, at + 1)?;
            at = content.start;
            open.push((content.end, letter));
        } else {
            at = value_end(bytes, at)?;
        }
        while open.pop_if(|(end, _)| *end == at).is_some() {}
        match open.last() {
            None => return Ok(()),
            Some((end, _)) if at > *end => return Err(Unreadable::Malformed),
            Some((_, b'F')) => at = check_short(bytes, at)?,
            Some(_) => {}
        }
    }
}

/// Checks a short string and returns where it ends.
pub(super) fn check_short(bytes: &[u8], at: usize) -> Result<usize, Unreadable> {
    let text = short(bytes, at)?;
    let end = text.end;
    std::str::from_utf8(&bytes[text]).map_err(|_| Unreadable::NotUtf8)?;
    Ok(end)
}

/// Checks all entries of a table, given without its length.
pub(super) fn check_table(entries: &[u8]) -> Result<(), Unreadable> {
    let mut at = 0;
    while at < entries.len() {
        let value = check_short(entries, at)?;
        check_value(entries, value)?;
        at = value_end(entries, value)?;
    }
    Ok(())
}

/// The same bytes as text, with a sign for each that is no ASCII, if they are not UTF-8. The length stays.
pub(super) fn readable(text: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(text) {
        Ok(_) => text.to_vec(),
        Err(_) => text.iter().map(|byte| if byte.is_ascii() { *byte } else { b'?' }).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tables in tables, the innermost empty.
    fn nested(levels: usize) -> Vec<u8> {
        let mut value = vec![b'V'];
        for _ in 0..levels {
            let inner = [&[1, b'n'][..], &value].concat();
            value = [&[b'F'][..], &(inner.len() as u32).to_be_bytes(), &inner].concat();
        }
        value
    }

    #[test]
    fn the_deepest_value_that_passes_has_128_levels() {
        assert_eq!(check_value(&nested(MAX_DEPTH), 0), Ok(()));
        assert_eq!(check_value(&nested(MAX_DEPTH + 1), 0), Err(Unreadable::TooDeep));
        assert_eq!(check_value(&nested(15_000), 0), Err(Unreadable::TooDeep));
    }

    #[test]
    fn values_side_by_side_do_not_add_to_the_depth() {
        let items: Vec<u8> = (0..1_000).flat_map(|_| nested(1)).collect();
        let array = [&[b'A'][..], &(items.len() as u32).to_be_bytes(), &items].concat();
        assert_eq!(check_value(&array, 0), Ok(()));
    }

    #[test]
    fn a_value_that_is_longer_than_what_it_is_in_is_malformed() {
        let table = [&[b'F', 0, 0, 0, 3, 1, b'n', b'I'][..], &[0; 4]].concat();
        assert_eq!(check_value(&table, 0), Err(Unreadable::Malformed));
        assert_eq!(check_value(b"S\0\0\0\x09short", 0), Err(Unreadable::Malformed));
        assert_eq!(check_value(b"?", 0), Err(Unreadable::Malformed));
        assert_eq!(check_value(b"", 0), Err(Unreadable::Malformed));
    }

    #[test]
    fn a_name_that_is_not_utf8_is_found_at_any_level() {
        let inner = [&[b'F', 0, 0, 0, 3, 1, 0xff, b'V'][..]].concat();
        let outer = [&[b'A', 0, 0, 0, 8][..], &inner].concat();
        assert_eq!(check_value(&outer, 0), Err(Unreadable::NotUtf8));
    }
}
