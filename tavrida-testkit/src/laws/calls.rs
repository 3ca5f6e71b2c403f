//! Laws of calls and their answers.

use std::time::Duration;

use tavrida::message::MessageKind;

use super::{Broken, Facts};
use crate::trace::{ActorId, CONSUMER_CANCELLED, Event, MessageId, Outcome, What};

/// See [`ROUTABLE`](super::ROUTABLE).
pub(super) fn routable(facts: &Facts<'_>) -> Option<Broken> {
    let mut unroutable = facts.trace.events().iter().enumerate().filter_map(|(place, event)| {
        let id = event.message.filter(|_| matches!(event.what, What::Published(Outcome::Unroutable)))?;
        (facts.seen(id).kind == Some(MessageKind::Request)).then_some((place, event, id))
    });
    let (_, event, id) = unroutable.find(|(place, _, id)| !is_for_a_late_one(facts, *place, *id))?;
    facts.broken(event, format!("{} was unroutable", facts.name(id)))
}

/// Returns whether a request is for a service that starts later: one that consumes nothing yet. It may be connected, with its queue or its
/// bindings still to come.
fn is_for_a_late_one(facts: &Facts<'_>, request: usize, id: MessageId) -> bool {
    let topic = facts.trace.message(id).topic();
    let service = topic.split('.').next().unwrap_or_default();
    let consumes = |actor: ActorId| {
        let mut own = facts.trace.openings().filter(|(channel, _)| channel.actor == actor && !channel.no_ack);
        own.find(|(channel, _)| !channel.queue.is_empty()).map(|(_, opened)| opened)
    };
    let actors = facts.trace.actors().iter().enumerate().filter(|(_, actor)| actor.service() == service);
    let mut begun = actors.map(|(place, _)| consumes(ActorId::new(place))).peekable();
    // If there are several replicas, the first one running would have taken it.
    begun.peek().is_some() && begun.all(|opened| opened.is_none_or(|opened| opened > request))
}

/// See [`PAIRS`](super::PAIRS).
pub(super) fn pairs(facts: &Facts<'_>) -> Option<Broken> {
    for talk in facts.talks() {
        for answer in &talk.answers {
            if talk.request.is_none() {
                return facts.broken_at_end(*answer, format!("{} answers no request", facts.name(*answer)));
            }
            let correlation_id = facts.seen(*answer).correlation_id;
            let mut requests = facts.messages().filter(|(_, seen)| {
                seen.kind == Some(MessageKind::Request) && seen.talk == facts.seen(*answer).talk
            });
            if !requests.any(|(_, request)| request.correlation_id == correlation_id) {
                let text = format!("{} has another correlation id than its request", facts.name(*answer));
                return facts.broken_at_end(*answer, text);
            }
        }
    }
    None
}

/// See [`ONE_ANSWER`](super::ONE_ANSWER).
pub(super) fn one_answer(facts: &Facts<'_>) -> Option<Broken> {
    for talk in facts.talks() {
        let Some(request) = talk.request else { continue };
        let answers = talk.answers.len();
        let text = if !talk.is_call && answers > 0 {
            "is a cast, and was answered".to_owned()
        } else if answers > talk.deliveries.max(1) {
            format!("was delivered {} times, and answered {answers} times", talk.deliveries)
        } else if talk.is_call
            && talk.acks > 0
            && answers == 0
            && !talk.expired
            && (talk.must_be_answered || !talk.quiet)
        {
            "was worked to its end, and got neither an answer nor an error".to_owned()
        } else {
            continue;
        };
        return facts.broken_at_end(request, format!("{} {text}", facts.name(request)));
    }
    None
}

/// See [`ASKS_END`](super::ASKS_END).
pub(super) fn asks_end(facts: &Facts<'_>) -> Option<Broken> {
    let asks = facts.trace.events().iter().enumerate().filter(|(_, event)| {
        let is_ask = event.message.is_some_and(|id| facts.seen(id).is_ask);
        is_ask && matches!(event.what, What::Published(Outcome::Routed))
    });
    for (place, event) in asks {
        let Some(id) = event.message else { continue };
        // A message delayed on its way was sent long before it is routed, and its asker waits from then on.
        let asked = facts.seen(id).first.unwrap_or(place);
        let asked_at = facts.trace.events()[asked].at;
        let talk = facts.talk(id);
        if talk.and_then(|talk| talk.heard).is_some_and(|heard| heard > asked) {
            continue;
        }
        let later = &facts.trace.events()[asked + 1..];
        let answers = talk.map_or(&[][..], |talk| &talk.answers);
        let ends = |later: &Event| match later.what {
            What::Delivered { .. } => later.message.is_some_and(|message| answers.contains(&message)),
            What::Disconnected(_) | What::Crashed => later.actor == event.actor,
            // All that wait on a reply queue learn that its consumer ended.
            What::Fault(ref what) => later.actor == event.actor && what.starts_with("channel-closed"),
            What::Note(ref note) => later.actor == event.actor && note == CONSUMER_CANCELLED,
            _ => false,
        };
        if later.iter().any(ends) {
            continue;
        }
        let due = deadline(facts, id).is_some_and(|within| asked_at + within <= facts.end);
        // A copy of a failed request, made by the server that could not handle it, has no asker.
        let is_copy = facts.trace.message(id).is_copy();
        if !due && !is_copy {
            let text = format!(
                "{} has no answer at the end of the run, and its deadline is to come",
                facts.name(id)
            );
            return facts.broken_at_end(id, text);
        }
    }
    None
}

fn deadline(facts: &Facts<'_>, id: MessageId) -> Option<Duration> {
    let expiration = facts.trace.message(id).publication().properties.expiration.as_deref()?;
    expiration.parse().ok().map(Duration::from_millis)
}
