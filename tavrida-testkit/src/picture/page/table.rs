//! [`events`]: the events of a story as a table, with the body of each message where it first appears.

use std::collections::BTreeSet;

use super::drawing::time;
use super::json::pretty;
use super::markup::Markup;
use super::{classes, tells_bad};
use crate::picture::story::Story;
use crate::trace::{MessageId, SentMessage};

/// The maximum length of a body, in characters.
const LONGEST: usize = 20_000;

/// Writes the table.
pub(super) fn events(page: &mut Markup, story: &Story<'_>) {
    page.open("section", &[("class", &"events")]);
    page.leaf("h2", &[], "Events");
    page.open("table", &[]);
    page.open("thead", &[]);
    page.open("tr", &[]);
    for name in ["", "time", "who", "what", "message"] {
        page.leaf("th", &[("scope", &"col")], name);
    }
    page.close();
    page.close();
    page.open("tbody", &[]);
    let mut told = BTreeSet::new();
    for (at, event) in story.events.iter().enumerate() {
        let class = classes(story, if tells_bad(story, event) { "bad" } else { "" }, event.message);
        page.open("tr", &[("id", &format!("e{}", at + 1)), ("class", &class)]);
        page.leaf("td", &[("class", &"number")], &(at + 1).to_string());
        page.leaf("td", &[("class", &"at")], &time(event.at));
        page.leaf("td", &[("class", &"who")], story.trace.actor(event.actor).name());
        page.leaf("td", &[("class", &"what")], &event.what.to_string());
        page.open("td", &[("class", &"message")]);
        if let Some(message) = event.message {
            match told.insert(message) {
                true => whole(page, story, message),
                false => {
                    let place = format!("#{}", story.name(message));
                    page.leaf("a", &[("href", &place)], &story.label(message));
                }
            }
        }
        page.close();
        page.close();
        page.raw("\n");
    }
    page.close();
    page.close();
    page.close();
}

/// Writes a message with all its content.
fn whole(page: &mut Markup, story: &Story<'_>, message: MessageId) {
    let sent = story.trace.message(message);
    page.open("details", &[("id", &story.name(message))]);
    page.leaf("summary", &[], &story.label(message));
    page.open("dl", &[]);
    let publication = sent.publication();
    let exchange = match publication.exchange.as_str() {
        "" => "(default)",
        name => name,
    };
    for (name, value) in [
        ("from", story.trace.actor(sent.sender()).name()),
        ("exchange", exchange),
        ("routing key", publication.routing_key.as_str()),
        ("correlation id", &sent.correlation_id()),
    ] {
        page.leaf("dt", &[], name);
        page.leaf("dd", &[], value);
    }
    // The message that caused it may not be part of the story.
    if let Some(cause) = sent.cause().map(|cause| story.label(cause)).filter(|label| label.starts_with('m')) {
        page.leaf("dt", &[], "sent for");
        page.leaf("dd", &[], &cause);
    }
    page.close();
    page.leaf("pre", &[], &body(sent));
    page.close();
}

fn body(sent: &SentMessage) -> String {
    let body = &sent.publication().body;
    let Ok(text) = std::str::from_utf8(body) else {
        return format!("{} bytes that are no text", body.len());
    };
    let text = pretty(text);
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…\n({} bytes in all)", &text[..end], body.len()),
        None => text,
    }
}
