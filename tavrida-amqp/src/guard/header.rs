//! Content headers: the properties of a message.

use std::ops::Range;

use tavrida::field::MAX_DEPTH;
use tavrida::transport::UNREADABLE;

use super::field::{
    Unreadable, check_short, check_table, check_value, long, readable, short, take, value_end,
};

/// Class, weight and size of the body.
const FIXED: usize = 12;

/// The bit of the headers among the flags.
const HEADERS: u16 = 1 << 13;

/// The longest reason that is given, in bytes.
const LONGEST_REASON: usize = 400;

#[derive(Clone, Copy)]
enum Kind {
    Short,
    Table,
    Octet,
    LongLong,
}

/// The properties in their order on the wire, from bit 15 on.
const PROPERTIES: [(&str, Kind); 14] = [
    ("content_type", Kind::Short),
    ("content_encoding", Kind::Short),
    ("headers", Kind::Table),
    ("delivery_mode", Kind::Octet),
    ("priority", Kind::Octet),
    ("correlation_id", Kind::Short),
    ("reply_to", Kind::Short),
    ("expiration", Kind::Short),
    ("message_id", Kind::Short),
    ("timestamp", Kind::LongLong),
    ("type", Kind::Short),
    ("user_id", Kind::Short),
    ("app_id", Kind::Short),
    ("cluster_id", Kind::Short),
];

/// Whether lapin can read a content header of at most `room` bytes.
pub(super) fn is_readable(payload: &[u8], room: usize) -> bool {
    let checked = each_property(payload, |_, kind, bytes| match kind {
        Kind::Short => check_short(bytes, 0).map(drop),
        Kind::Table => check_table(&bytes[4..]),
        Kind::Octet | Kind::LongLong => Ok(()),
    });
    payload.len() <= room && checked.is_ok()
}

/// The content header without what lapin cannot read, and the reason.
pub(super) fn rewritten(payload: &[u8], room: usize) -> (Vec<u8>, String) {
    let fixed = take(payload, 0, FIXED).map_or(&[0; FIXED][..], |fixed| &payload[fixed]);
    let mut parts = ReadableEntries::default();
    let mut others: Vec<(usize, Vec<u8>)> = Vec::new();
    let split = each_property(payload, |at, kind, bytes| {
        match kind {
            Kind::Table => parts.sift(&bytes[4..])?,
            Kind::Short => {
                let text = readable(&bytes[1..]);
                if text != bytes[1..] {
                    parts.reasons.push(format!("the property '{}' is not UTF-8", PROPERTIES[at].0));
                }
                others.push((at, [&bytes[..1], &text].concat()));
            }
            Kind::Octet | Kind::LongLong => others.push((at, bytes.to_vec())),
        }
        Ok(())
    });
    if split.is_err() {
        parts.reasons.push("the properties are malformed".to_owned());
    }
    let taken: usize = others.iter().map(|(_, bytes)| bytes.len()).sum();
    let reserved = FIXED + 2 + 4 + taken + 1 + UNREADABLE.len() + 5 + LONGEST_REASON;
    parts.fit(room.saturating_sub(reserved), room);
    let reason = cut(&parts.reasons.join("; "), LONGEST_REASON);
    let table = parts.table(&reason);
    let mut flags = HEADERS;
    let mut properties = Vec::new();
    let (before, after) = others.split_at(others.partition_point(|(at, _)| *at < 2));
    for (at, bytes) in before {
        flags |= 1 << (15 - at);
        properties.extend_from_slice(bytes);
    }
    properties.extend_from_slice(&table);
    for (at, bytes) in after {
        flags |= 1 << (15 - at);
        properties.extend_from_slice(bytes);
    }
    ([fixed, &flags.to_be_bytes(), &properties].concat(), reason)
}

/// Calls `each` with every property: its place in [`PROPERTIES`], and its bytes with their length.
fn each_property<'a>(
    payload: &'a [u8],
    mut each: impl FnMut(usize, Kind, &'a [u8]) -> Result<(), Unreadable>,
) -> Result<(), Unreadable> {
    let flags = &payload[take(payload, FIXED, 2)?];
    let flags = u16::from_be_bytes([flags[0], flags[1]]);
    let mut at = FIXED + 2;
    for (place, (_, kind)) in PROPERTIES.into_iter().enumerate() {
        if flags & (1 << (15 - place)) == 0 {
            continue;
        }
        let end = match kind {
            Kind::Short => short(payload, at)?.end,
            Kind::Table => long(payload, at)?.end,
            Kind::Octet => take(payload, at, 1)?.end,
            Kind::LongLong => take(payload, at, 8)?.end,
        };
        each(place, kind, &payload[at..end])?;
        at = end;
    }
    if at == payload.len() { Ok(()) } else { Err(Unreadable::Malformed) }
}

/// The headers that can be read, and what is wrong with the others.
#[derive(Default)]
struct ReadableEntries<'a> {
    entries: Vec<&'a [u8]>,
    reasons: Vec<String>,
}

impl<'a> ReadableEntries<'a> {
    /// Keeps the entries of a table that are readable.
    fn sift(&mut self, entries: &'a [u8]) -> Result<(), Unreadable> {
        let mut at = 0;
        while at < entries.len() {
            let name = short(entries, at)?;
            let end = value_end(entries, name.end)?;
            match check_short(entries, at).and_then(|value| check_value(&entries[..end], value)) {
                Ok(()) => self.entries.push(&entries[at..end]),
                Err(flaw) => self.reasons.push(reason(entries, name, flaw)),
            }
            at = end;
        }
        Ok(())
    }

    /// Leaves out the largest entries until the rest fits.
    fn fit(&mut self, room: usize, frame: usize) {
        let mut len: usize = self.entries.iter().map(|entry| entry.len()).sum();
        while len > room {
            let Some(largest) = (0..self.entries.len()).max_by_key(|at| self.entries[*at].len()) else {
                return;
            };
            let entry = self.entries.remove(largest);
            len -= entry.len();
            let name = shown(&entry[1..=usize::from(entry[0])]);
            let text = format!("the header {name} takes {} bytes, and a frame takes {frame}", entry.len());
            self.reasons.push(text);
        }
    }

    /// The table with its length, and with the reason as one more entry.
    fn table(&self, reason: &str) -> Vec<u8> {
        let len = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes();
        let name_len = u8::try_from(UNREADABLE.len()).unwrap_or(u8::MAX);
        let text = reason.as_bytes();
        let mark = [&[name_len][..], UNREADABLE.as_bytes(), b"S", &len(text), text].concat();
        let kept = self.entries.iter().filter(|entry| !entry[1..].starts_with(UNREADABLE.as_bytes()));
        let entries: Vec<u8> = kept.copied().flatten().chain(&mark).copied().collect();
        [&len(&entries)[..], &entries].concat()
    }
}

fn reason(entries: &[u8], name: Range<usize>, flaw: Unreadable) -> String {
    let name = shown(&entries[name]);
    match flaw {
        Unreadable::TooDeep => format!("the header {name} nests deeper than {MAX_DEPTH} levels"),
        Unreadable::NotUtf8 => format!("the header {name} has a name that is not UTF-8"),
        Unreadable::Malformed => format!("the header {name} is malformed"),
    }
}

/// A name for people.
fn shown(name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name);
    let short: String = name.chars().flat_map(char::escape_debug).take(64).collect();
    format!("'{short}'")
}

/// Returns a limited number of bytes of a text.
fn cut(text: &str, most: usize) -> String {
    let end = (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    text[..end].to_owned()
}

#[cfg(test)]
mod tests {

    use super::*;

    const ROOM: usize = 8_000;

    fn entry(name: &[u8], letter: u8, value: &[u8]) -> Vec<u8> {
        [&[name.len() as u8][..], name, &[letter], value].concat()
    }

    fn long_bytes(bytes: &[u8]) -> Vec<u8> {
        [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat()
    }

    /// A content header with headers and an app id.
    fn payload(entries: &[Vec<u8>], app_id: &[u8]) -> Vec<u8> {
        let flags = (HEADERS | 1 << 3).to_be_bytes();
        let app_id = [&[app_id.len() as u8][..], app_id].concat();
        [&[0; FIXED][..], &flags, &long_bytes(&entries.concat()), &app_id].concat()
    }

    #[test]
    fn what_is_readable_stays_as_it_is() {
        assert!(is_readable(&payload(&[entry(b"a", b'S', &long_bytes(b"\xff"))], b"app"), ROOM));
        assert!(is_readable(&[&[0; FIXED][..], &[0, 0]].concat(), ROOM));
    }

    #[test]
    fn an_unreadable_header_is_left_out_and_named_and_the_others_stay() {
        let good = entry(b"good", b'V', b"");
        let bad =
            payload(&[good.clone(), entry(b"b\xffd", b'V', b""), entry(b"odd", b'?', b"")][..2], b"app");
        assert!(!is_readable(&bad, ROOM));
        let (better, reason) = rewritten(&bad, ROOM);
        assert!(is_readable(&better, ROOM), "{better:?}");
        assert_eq!(reason, "the header 'b\u{fffd}d' has a name that is not UTF-8");
        let contains = |part: &[u8]| better.windows(part.len()).any(|window| window == part);
        assert!(contains(&good) && contains(UNREADABLE.as_bytes()) && contains(b"\x03app"));
    }

    #[test]
    fn a_header_frame_above_the_size_loses_its_largest_headers() {
        let large =
            payload(&[entry(b"large", b'S', &long_bytes(&[b'x'; 9_000])), entry(b"s", b'V', b"")], b"");
        assert!(!is_readable(&large, ROOM));
        let (better, reason) = rewritten(&large, ROOM);
        assert!(is_readable(&better, ROOM));
        assert_eq!(reason, "the header 'large' takes 9011 bytes, and a frame takes 8000");
    }

    #[test]
    fn malformed_properties_become_the_reason_alone() {
        let (better, reason) = rewritten(&[&[0; FIXED][..], &[0xff, 0xff, 9]].concat(), ROOM);
        assert!(is_readable(&better, ROOM));
        assert_eq!(reason, "the properties are malformed");
    }

    #[test]
    fn any_bytes_come_out_readable() {
        let seed: u64 = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(7);
        #[expect(clippy::print_stdout, reason = "a failed run is replayed from its seed")]
        {
            println!("seed {seed}");
        }
        let mut random = fastrand::Rng::with_seed(seed);
        for _ in 0..20_000 {
            let mut bytes = payload(&[entry(b"a", b'F', &long_bytes(&entry(b"b", b'I', &[0; 4])))], b"app");
            for _ in 0..random.usize(1..6) {
                let at = random.usize(FIXED..bytes.len());
                bytes[at] = random.u8(..);
            }
            bytes.truncate(random.usize(FIXED..=bytes.len()));
            let (better, _) = rewritten(&bytes, ROOM);
            assert!(is_readable(&better, ROOM), "seed {seed}: {bytes:?}");
        }
    }
}
