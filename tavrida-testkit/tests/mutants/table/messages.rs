//! Mutants with faults in publishing, transporting and delivering.

use tavrida::field::{ShortString, Value};
use tavrida::transport::{Publication, PublishError, PublishErrorKind};

use super::{Mutant, mutant};
use crate::twist::{Habit, Twist};

pub(super) fn publishing() -> Vec<Mutant> {
    vec![
        mutant(
            "what is unroutable passes as routed",
            Twist { outcome: |outcome| forgive(outcome, &PublishErrorKind::Unroutable), ..Twist::NONE },
            "publishing",
            "comes back as unroutable",
        ),
        mutant(
            "what is nacked passes as routed",
            Twist { outcome: |outcome| forgive(outcome, &PublishErrorKind::Nacked), ..Twist::NONE },
            "publishing",
            "makes the publish nacked",
        ),
        mutant(
            "what a queue nacked is called unroutable",
            Twist { outcome: nacked_to_unroutable, ..Twist::NONE },
            "publishing",
            "one refusing queue of several",
        ),
        mutant(
            "a publication comes back without its properties",
            Twist { outcome: strip, ..Twist::NONE },
            "content",
            "a message that comes back is whole as well",
        ),
        mutant(
            "every message is mandatory",
            Twist { publication: |publication| publication.mandatory = true, ..Twist::NONE },
            "publishing",
            "a message that is not mandatory may reach nobody",
        ),
        mutant(
            "no message is mandatory",
            Twist { publication: |publication| publication.mandatory = false, ..Twist::NONE },
            "publishing",
            "comes back as unroutable",
        ),
        mutant(
            "a message is taken for confirmed before it was",
            Twist::habit(Habit::ConfirmsBlindly),
            "publishing",
            "a missing exchange is refused",
        ),
        mutant(
            "a publish is sent before it is polled",
            Twist::habit(Habit::PublishesEarly),
            "pipelining",
            "dropped before its first poll is not sent",
        ),
        mutant(
            "a publish waits for the one before it",
            Twist::habit(Habit::PublishesInTurn),
            "pipelining",
            "a publish that nobody waits for holds up no other",
        ),
        mutant(
            "a publish is sent later than it was polled",
            Twist::habit(Habit::PublishesLate),
            "closing",
            "publishes that were made are flushed",
        ),
        mutant(
            "two publishes change places",
            Twist::habit(Habit::SwapsPublishes),
            "pipelining",
            "keep their order",
        ),
        mutant(
            "two publishes exchange their outcomes",
            Twist::habit(Habit::SwapsOutcomes),
            "pipelining",
            "each get the outcome that is theirs",
        ),
        mutant(
            "a refused publish ends the session",
            Twist::habit(Habit::DiesOfRefusals),
            "pipelining",
            "refused publishes do no harm",
        ),
        mutant(
            "a publish after the end is called ambiguous",
            Twist { outcome: not_sent_to_ambiguous, ..Twist::NONE },
            "closing",
            "publishes fail afterwards as not sent",
        ),
    ]
}

pub(super) fn carrying() -> Vec<Mutant> {
    vec![
        mutant(
            "a property is lost",
            Twist { delivered: |publication| publication.properties.cluster_id = None, ..Twist::NONE },
            "content",
            "every property comes through",
        ),
        mutant(
            "a property is added",
            Twist { publication: add_message_id, ..Twist::NONE },
            "content",
            "properties that are absent stay absent",
        ),
        mutant(
            "empty headers are taken for none",
            Twist { delivered: forget_empty_headers, ..Twist::NONE },
            "content",
            "properties that are empty or zero stay present",
        ),
        mutant(
            "small integers grow",
            Twist { delivered: widen_integers, ..Twist::NONE },
            "content",
            "every type of header field comes through",
        ),
        mutant(
            "a body ends with its first frame",
            Twist { delivered: |publication| publication.body.truncate(131_064), ..Twist::NONE },
            "content",
            "bodies around the size of a frame",
        ),
        mutant(
            "a delivery names the default exchange",
            Twist { delivered: |publication| publication.exchange = ShortString::default(), ..Twist::NONE },
            "routing",
            "a message goes on from exchange to exchange",
        ),
        mutant(
            "the history of dead letters is lost",
            Twist { delivered: forget_deaths, ..Twist::NONE },
            "dead letters",
            "x-death tells where, why, when",
        ),
    ]
}

fn forgive(outcome: &mut Result<(), PublishError>, what: &PublishErrorKind) {
    if outcome.as_ref().is_err_and(|unpublished| unpublished.reason == *what) {
        *outcome = Ok(());
    }
}

fn nacked_to_unroutable(outcome: &mut Result<(), PublishError>) {
    if let Err(PublishError { reason: reason @ PublishErrorKind::Nacked, .. }) = outcome {
        *reason = PublishErrorKind::Unroutable;
    }
}

fn not_sent_to_ambiguous(outcome: &mut Result<(), PublishError>) {
    if let Err(PublishError { reason, .. }) = outcome
        && let PublishErrorKind::NotSent(loss) = reason.clone()
    {
        *reason = PublishErrorKind::Ambiguous(loss);
    }
}

fn strip(outcome: &mut Result<(), PublishError>) {
    if let Err(unpublished) = outcome {
        unpublished.publication.properties = Default::default();
    }
}

fn add_message_id(publication: &mut Publication) {
    let id = ShortString::from_static("one-of-our-own");
    publication.properties.message_id.get_or_insert(id);
}

fn forget_empty_headers(publication: &mut Publication) {
    if publication.properties.headers().is_empty() {
        publication.properties.headers = None;
    }
}

fn widen_integers(publication: &mut Publication) {
    let Some(headers) = &mut publication.properties.headers else { return };
    let names: Vec<ShortString> = headers.iter().map(|(name, _)| name.clone()).collect();
    for name in names {
        if let Some(value @ Value::I8(_)) = headers.get_mut(&name) {
            *value = Value::I64(value.as_i64().expect("an integer"));
        }
    }
}

fn forget_deaths(publication: &mut Publication) {
    if let Some(headers) = &mut publication.properties.headers {
        headers.remove("x-death");
    }
}
