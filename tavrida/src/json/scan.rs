//! Finds the members of an object without parsing them.
//!
//! Every message pays for this at every hop, so it does no more than needed: it checks the grammar of JSON (RFC 8259), at any depth, and
//! returns where each name and value is. For a text that fails, `serde_json` scans it again and reports the error.

/// Calls `each` with the name (with quotes and escapes) and the value of each member of the JSON object in `text`, which may have white
/// space around it. Returns `None` if `text` is not an object; `each` may already have been called.
pub(crate) fn members<'a>(text: &'a str, mut each: impl FnMut(&'a str, &'a str)) -> Option<()> {
    let json = text.as_bytes();
    let mut at = space(json, 0);
    at = space(json, byte(json, at, b'{')?);
    if json.get(at) == Some(&b'}') {
        at += 1;
    } else {
        loop {
            let behind_name = string(json, at)?;
            let start = colon(json, behind_name)?;
            let behind = value(json, start)?;
            each(&text[at..behind_name], &text[start..behind]);
            at = space(json, behind);
            match json.get(at)? {
                b',' => at = space(json, at + 1),
                b'}' => break at += 1,
                _ => return None,
            }
        }
    }
    (space(json, at) == json.len()).then_some(())
}

// Each of the following takes the position where something begins, and returns the position behind it, or `None` if something else is
// there.

pub(super) fn value(json: &[u8], mut at: usize) -> Option<usize> {
    let mut nesting = Nesting::default();
    loop {
        at = match json.get(at)? {
            b'"' => string(json, at)?,
            b'-' | b'0'..=b'9' => number(json, at)?,
            b't' => literal(json, at, b"true")?,
            b'f' => literal(json, at, b"false")?,
            b'n' => literal(json, at, b"null")?,
            open @ (b'{' | b'[') => {
                let object = *open == b'{';
                nesting.push(object);
                at = space(json, at + 1);
                match json.get(at)? {
                    b'}' | b']' => at,
                    _ => {
                        at = if object { name(json, at)? } else { at };
                        continue;
                    }
                }
            }
            _ => return None,
        };
        at = ends(json, at, &mut nesting)?;
        if nesting.top().is_none() {
            return Some(at);
        }
    }
}

/// After a value: closes what ends here, and moves to the next value if something is still open.
fn ends(json: &[u8], mut at: usize, nesting: &mut Nesting) -> Option<usize> {
    while let Some(object) = nesting.top() {
        at = space(json, at);
        match (json.get(at)?, object) {
            (b',', true) => return name(json, space(json, at + 1)),
            (b',', false) => return Some(space(json, at + 1)),
            (b'}', true) | (b']', false) => nesting.pop(),
            _ => return None,
        }
        at += 1;
    }
    Some(at)
}

fn name(json: &[u8], at: usize) -> Option<usize> {
    colon(json, string(json, at)?)
}

pub(super) fn colon(json: &[u8], at: usize) -> Option<usize> {
    Some(space(json, byte(json, space(json, at), b':')?))
}

pub(super) fn string(json: &[u8], at: usize) -> Option<usize> {
    let mut at = byte(json, at, b'"')?;
    loop {
        at = plain(json, at);
        match json.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at = escape(json, at + 1)?,
            ..0x20 => return None,
            _ => at += 1,
        }
    }
}

/// Eight bytes at a time: moves to the first quote, backslash or control character, or to the last seven bytes.
fn plain(json: &[u8], mut at: usize) -> usize {
    const EACH: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = EACH << 7;
    /// Sets the high bit of each byte that is smaller than `limit`; bytes above the first such byte may be wrong.
    const fn below(word: u64, limit: u64) -> u64 {
        word.wrapping_sub(EACH * limit) & !word & HIGH
    }
    while let Some(chunk) = json[at..].first_chunk() {
        let word = u64::from_le_bytes(*chunk);
        let quote = below(word ^ (EACH * b'"' as u64), 1);
        let backslash = below(word ^ (EACH * b'\\' as u64), 1);
        match quote | backslash | below(word, 0x20) {
            0 => at += chunk.len(),
            found => return at + found.trailing_zeros() as usize / 8,
        }
    }
    at
}

fn escape(json: &[u8], at: usize) -> Option<usize> {
    match json.get(at)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(at + 1),
        b'u' => json.get(at + 1..at + 5)?.iter().all(u8::is_ascii_hexdigit).then_some(at + 5),
        _ => None,
    }
}

fn number(json: &[u8], at: usize) -> Option<usize> {
    let at = byte(json, at, b'-').unwrap_or(at);
    let mut at = if json.get(at) == Some(&b'0') { at + 1 } else { digits(json, at)? };
    if json.get(at) == Some(&b'.') {
        at = digits(json, at + 1)?;
    }
    if let Some(b'e' | b'E') = json.get(at) {
        at += 1;
        if let Some(b'+' | b'-') = json.get(at) {
            at += 1;
        }
        at = digits(json, at)?;
    }
    Some(at)
}

/// One at least.
fn digits(json: &[u8], at: usize) -> Option<usize> {
    let behind = at + json[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    (behind > at).then_some(behind)
}

fn literal(json: &[u8], at: usize, word: &[u8]) -> Option<usize> {
    json[at..].starts_with(word).then_some(at + word.len())
}

pub(super) fn space(json: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = json.get(at) {
        at += 1;
    }
    at
}

fn byte(json: &[u8], at: usize, wanted: u8) -> Option<usize> {
    (*json.get(at)? == wanted).then_some(at + 1)
}

/// What is open at a position, innermost last: objects and arrays, one bit each.
///
/// The first 63 levels cost no allocation; few messages are deeper.
struct Nesting {
    /// Below a leading one.
    bits: u64,
    full: Vec<u64>,
}

impl Default for Nesting {
    fn default() -> Self {
        Self { bits: 1, full: Vec::new() }
    }
}

impl Nesting {
    fn push(&mut self, object: bool) {
        if self.bits.leading_zeros() == 0 {
            self.full.push(std::mem::replace(&mut self.bits, 1));
        }
        self.bits = self.bits << 1 | u64::from(object);
    }

    /// Returns whether the innermost is an object. `None` if nothing is open.
    fn top(&self) -> Option<bool> {
        (self.bits > 1).then_some(self.bits & 1 == 1)
    }

    fn pop(&mut self) {
        self.bits >>= 1;
        if self.bits == 1 {
            self.bits = self.full.pop().unwrap_or(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<Vec<(&str, &str)>> {
        let mut found = Vec::new();
        members(text, |name, value| found.push((name, value)))?;
        Some(found)
    }

    #[test]
    fn names_and_values_are_told_as_they_stand() {
        let text = " {\"a\" : [1, {\"b\": \"}\"}] ,\"\\u0063\":-1.5e+3, \"\": {}}\n";
        let members = [("\"a\"", "[1, {\"b\": \"}\"}]"), ("\"\\u0063\"", "-1.5e+3"), ("\"\"", "{}")];
        assert_eq!(found(text).as_deref(), Some(&members[..]));
        assert_eq!(found("{ }"), Some(Vec::new()));
    }

    #[test]
    fn what_is_no_object_is_nothing() {
        for text in [
            "",
            " ",
            "1",
            "[]",
            "null",
            "{",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{,}",
            "{\"a\":[1,]}",
            "{\"a\":[}",
            "{\"a\":{]}",
            "{\"a\":{}",
            "{\"a\":01}",
            "{\"a\":1.}",
            "{\"a\":.5}",
            "{\"a\":+1}",
            "{\"a\":1e}",
            "{\"a\":-}",
            "{\"a\":tru}",
            "{\"a\":\"\\x\"}",
            "{\"a\":\"\\u12g4\"}",
            "{\"a\":\"\n\"}",
            "{\"a\":\"x}",
            "{\"a\":NaN}",
            "{\"a\":1} x",
            "{\"a\":1}{}",
            "{a:1}",
            "{'a':1}",
            "\u{a0}{}",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn each_depth_closes_as_it_was_opened() {
        for depth in [1, 62, 63, 64, 65, 126, 127, 128, 10_000] {
            let (open, close) = ("[{\"\":".repeat(depth), "}]".repeat(depth));
            let sound = format!("{{\"deep\":{open}[]{close}}}");
            assert!(found(&sound).is_some(), "{depth}");
            let crossed = format!("{{\"deep\":{open}[}}{close}}}");
            assert_eq!(found(&crossed), None, "{depth}");
            let unclosed = &sound[..sound.len() - 1];
            assert_eq!(found(unclosed), None, "{depth}");
        }
    }
}
