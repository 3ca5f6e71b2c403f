//! Laws of chains: what messages pass on.

use tavrida::field::Value;
use tavrida::message::MessageKind;

use super::{Broken, Facts};
use crate::trace::{MessageId, SentMessage};

/// See [`CORRELATION`](super::CORRELATION).
pub(super) fn correlation(facts: &Facts<'_>) -> Option<Broken> {
    for (id, seen) in facts.messages() {
        let Some(cause) = facts.trace.message(id).cause() else { continue };
        let expected = facts.seen(cause).correlation_id;
        if seen.correlation_id == expected || (!is_answer_to(facts, id, cause) && is_given(facts, id)) {
            continue;
        }
        let text = format!(
            "{} has the correlation id '{}', and what it was sent for, {}, has '{}'",
            facts.name(id),
            facts.trace.message(id).correlation_id(),
            facts.name(cause),
            facts.trace.message(cause).correlation_id(),
        );
        return facts.broken_at_end(id, text);
    }
    None
}

/// Returns whether the correlation id of a message was given, and not generated for the message.
fn is_given(facts: &Facts<'_>, id: MessageId) -> bool {
    let own = facts.seen(id).correlation_id;
    match own {
        None | Some(Value::Void) => false,
        Some(value) => {
            let is_made = value.as_str().is_some_and(|text| (facts.is_made)(text));
            !is_made || facts.messages().take(id.index()).any(|(_, earlier)| earlier.correlation_id == own)
        }
    }
}

/// Returns whether a message answers the message that caused it.
fn is_answer_to(facts: &Facts<'_>, id: MessageId, cause: MessageId) -> bool {
    let (seen, cause) = (facts.seen(id), facts.seen(cause));
    let is_answer = matches!(seen.kind, Some(MessageKind::Response | MessageKind::Error));
    is_answer && cause.kind == Some(MessageKind::Request) && seen.talk == cause.talk
}

/// See [`CONTEXT`](super::CONTEXT).
pub(super) fn context(facts: &Facts<'_>) -> Option<Broken> {
    for (id, _) in facts.messages() {
        let answer = facts.trace.message(id);
        let Some(cause) = answer.cause().filter(|cause| is_answer_to(facts, id, *cause)) else { continue };
        let request = facts.trace.message(cause);
        if is_same_context(request, answer) {
            continue;
        }
        let (Some(request), Some(answer)) = (request.message(), answer.message()) else { continue };
        let (before, after) = (request.context().object(), answer.context().object());
        let (before, after) = (before.members(), after.members());
        if let Some(lost) = before.names().find(|name| after.raw(name).is_none()) {
            let text = format!("the context key '{lost}' is in the request, and not in {}", facts.name(id));
            return facts.broken_at_end(id, text);
        }
    }
    None
}

/// Returns whether two bodies of this library have the same context, or the first has an empty one, as far as this can be seen without
/// parsing: the context is at the end.
fn is_same_context(a: &SentMessage, b: &SentMessage) -> bool {
    const CONTEXT: &[u8] = b", \"context\": ";
    let (a, b) = (&a.publication().body[..], &b.publication().body[..]);
    if a.ends_with(b", \"context\": {}}") {
        return true;
    }
    let mut places = (0..a.len()).filter(|at| a[*at] == CONTEXT[0] && a[*at..].starts_with(CONTEXT));
    match (places.next(), places.next()) {
        (Some(only), None) => b.ends_with(&a[only..]),
        _ => false,
    }
}
