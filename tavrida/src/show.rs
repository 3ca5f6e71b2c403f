//! Text that others sent, as it is shown to people: in logs, in errors, in headers.

use std::borrow::Cow;
use std::fmt::{self, Display, Write};

/// A value as logs show it: a limited number of characters and three dots, control characters escaped, so that no sender can write
/// lines of the log.
pub(crate) struct Escaped<T> {
    value: T,
    most: usize,
}

/// Shows at most 256 characters: enough for the texts that this library writes.
pub(crate) fn shown<T: Display>(value: T) -> Escaped<T> {
    Escaped { value, most: 256 }
}

/// Shows at most 64 characters: enough to recognise a value.
pub(crate) fn beginning<T: Display>(value: T) -> Escaped<T> {
    Escaped { value, most: 64 }
}

impl<T: Display> Display for Escaped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut window = Window { out: f, room: self.most, failed: Ok(()) };
        match write!(window, "{}", self.value) {
            Ok(()) => Ok(()),
            Err(_) => window.failed.and_then(|()| f.write_str("...")),
        }
    }
}

/// Accepts a limited number of characters and then fails, so that a long value is not formatted in full.
struct Window<'a, 'f> {
    out: &'a mut fmt::Formatter<'f>,
    room: usize,
    failed: fmt::Result,
}

impl Write for Window<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            self.room = self.room.checked_sub(1).ok_or(fmt::Error)?;
            self.failed = if is_control(c) {
                write!(self.out, "{}", c.escape_default())
            } else {
                self.out.write_char(c)
            };
            self.failed?;
        }
        Ok(())
    }
}

/// Whether a character changes how the text around it is read: line breaks, escape sequences, changes of direction.
pub(crate) fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A text of at most `most` bytes, the mark of the cut included.
pub(crate) fn cut(text: &str, most: usize) -> Cow<'_, str> {
    if text.len() <= most {
        return text.into();
    }
    let mark = format!("... (cut: {} bytes)", text.len());
    let room = most.saturating_sub(mark.len());
    let end = (0..=room).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    format!("{}{mark}", &text[..end]).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_break_does_not_end_the_line_of_the_log() {
        assert_eq!(shown("a\r\n2026 ERROR b\u{1b}[31m").to_string(), "a\\r\\n2026 ERROR b\\u{1b}[31m");
        assert_eq!(shown("x\u{202e}y\u{2028}").to_string(), "x\\u{202e}y\\u{2028}");
        assert_eq!(shown("déjà vu").to_string(), "déjà vu");
    }

    #[test]
    fn a_long_value_is_shown_by_its_beginning() {
        assert_eq!(beginning("é".repeat(65)).to_string(), format!("{}...", "é".repeat(64)));
        assert_eq!(beginning("é".repeat(64)).to_string(), "é".repeat(64));
    }

    #[test]
    fn a_text_is_cut_between_letters_and_says_so() {
        assert_eq!(cut("short", 64), "short");
        let text = "é".repeat(100);
        let cut = cut(&text, 64);
        assert!(cut.len() <= 64 && cut.len() > 60, "{cut}");
        assert!(cut.ends_with("é... (cut: 200 bytes)"), "{cut}");
    }
}
