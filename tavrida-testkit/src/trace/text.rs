//! The text of a trace, for snapshots and for people, and its digest.
//!
//! It begins with its version. Then one line for each event follows: `at | who | what | message | ids`, and for a publish also the content
//! of the message: its payload, its context and its headers, if any. The time is virtual, in seconds since the beginning of the run. Ids
//! are renamed in the order of their first appearance (`m1` a message, `c1` a chain, `r1` a request and its answer, `i1` an asking
//! instance, `q1` the queue of its answers), also inside texts; `< m1` is the message whose handler sent this one. Members of JSON objects
//! are sorted. The text of a run therefore depends on what happened, and not on the ids.

use std::borrow::Cow;
use std::fmt::{self, Write};

use tavrida::message::Message;

use super::json::sorted;
use super::names::Names;
use super::{Event, SentMessage, Trace, What};

/// The first line of the text; the number changes with the format.
const HEADER: &str = "tavrida-trace 1";

/// Longer JSON, in bytes, is cut and shown with its digest.
const LONGEST: usize = 160;

impl Trace {
    /// Returns the whole text, for snapshots.
    pub fn text(&self) -> String {
        self.to_string()
    }

    /// Returns the text without times, for runs in real time.
    pub fn text_without_times(&self) -> String {
        let mut text = String::new();
        write(self, false, &mut text).expect("a String takes everything");
        text
    }

    /// Returns the 64-bit FNV-1a hash of the [text](Trace::text), virtual times included: two runs with the same digest did the same.
    pub fn digest(&self) -> u64 {
        let mut digest = Digest(crate::random::hash(b""));
        write(self, true, &mut digest).expect("a digest takes everything");
        digest.0
    }

    /// Returns the first lines in which the texts of two traces differ, the line of this one first. `None` if they are equal.
    pub fn first_difference(&self, other: &Trace) -> Option<(String, String)> {
        let (ours, theirs) = (self.text(), other.text());
        let (mut ours, mut theirs) = (ours.lines(), theirs.lines());
        loop {
            match (ours.next(), theirs.next()) {
                (None, None) => return None,
                (a, b) if a == b => {}
                (a, b) => {
                    let line = |line: Option<&str>| line.unwrap_or("the run is over").to_owned();
                    return Some((line(a), line(b)));
                }
            }
        }
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(self, true, f)
    }
}

/// Hashes the text that is written into it.
struct Digest(u64);

impl Write for Digest {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 = crate::random::hash_on(self.0, text.as_bytes());
        Ok(())
    }
}

fn write(trace: &Trace, times: bool, out: &mut dyn Write) -> fmt::Result {
    let names = Names::of(trace);
    writeln!(out, "{HEADER}")?;
    for event in trace.events() {
        if times {
            write!(out, "{:>4}.{:03} | ", event.at.as_secs(), event.at.subsec_millis())?;
        }
        writeln!(out, "{}", line(trace, &names, event))?;
    }
    Ok(())
}

/// Returns the line of an event, without its time.
pub(crate) fn line(trace: &Trace, names: &Names<'_>, event: &Event) -> String {
    let mut line =
        format!("{:<12} | {:<22}", trace.actor(event.actor), one_line(&names.rename(&what(event))));
    if let Some(id) = event.message {
        let message = trace.message(id);
        let shown = message.to_string();
        let _ = write!(line, " | {:<30} | {}", one_line(&names.rename(&shown)), names.message(id));
        let chain = message.correlation_id();
        for id in [chain.as_str(), message.request_id()] {
            if !id.is_empty() {
                let _ = write!(line, " {}", one_line(&names.id(id)));
            }
        }
        if let Some(cause) = message.cause() {
            let _ = write!(line, " < {}", names.message(cause));
        }
        if matches!(event.what, What::Published(_)) {
            let _ = write!(line, " | {}", one_line(&names.rename(&content(message))));
        }
    }
    line.truncate(line.trim_end().len());
    line
}

/// Returns what happened, with the number of the delivery if it is not the first.
fn what(event: &Event) -> String {
    match (&event.what, event.delivery) {
        (what, 0 | 1) => what.to_string(),
        (what, nth) => format!("{what} #{nth}"),
    }
}

fn content(sent: &SentMessage) -> String {
    let Some(message) = sent.message() else {
        return cut(&String::from_utf8_lossy(&sent.publication().body)).into_owned();
    };
    let mut text = cut(&sorted(message.payload().as_str())).into_owned();
    let context = message.context().object();
    if !context.is_empty() {
        let _ = write!(text, " in {}", cut(&sorted(context.as_str())));
    }
    text + &headers(message)
}

/// Returns the payload of a message after a space, cut to this many bytes; nothing if it is empty.
pub(crate) fn payload(sent: &SentMessage, longest: usize) -> String {
    let text = match sent.message() {
        Some(message) => sorted(message.payload().as_str()),
        None => String::from_utf8_lossy(&sent.publication().body).into_owned(),
    };
    let end = (0..=longest.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    match &text[..end] {
        "" | "{}" => String::new(),
        all if all.len() == text.len() => format!(" {}", one_line(all)),
        part => format!(" {}..", one_line(part)),
    }
}

/// Returns the kind and content of a message without ids, to compare messages that were sent twice.
pub(crate) fn said(sent: &SentMessage, names: &Names<'_>) -> String {
    let to = sent.header("destination").filter(|to| !to.is_empty()).map(|to| format!(" to {to}"));
    one_line(&names.blank(&format!("{sent}{} {}", to.unwrap_or_default(), content(sent)))).into_owned()
}

/// Returns the custom headers, if any; secrets are masked.
fn headers(message: &Message) -> String {
    if message.headers().is_empty() { String::new() } else { format!(" with {:?}", message.headers()) }
}

/// Cuts a long text.
fn cut(text: &str) -> Cow<'_, str> {
    if text.len() <= LONGEST {
        return Cow::Borrowed(text);
    }
    let digest = crate::random::hash(text.as_bytes());
    let end = (0..=LONGEST).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    Cow::Owned(format!("{}.. ({} bytes, {digest:016x})", &text[..end], text.len()))
}

/// Puts a text on one line.
fn one_line(text: &str) -> Cow<'_, str> {
    if !text.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    let escaped = text.chars().map(|c| match c {
        c if c.is_control() => c.escape_default().to_string(),
        c => c.to_string(),
    });
    Cow::Owned(escaped.collect())
}
