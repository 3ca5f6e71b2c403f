//! Laws that no graph can violate, checked against traces made by hand.

use std::sync::Arc;
use std::time::Duration;

use tavrida::field::ShortString;
use tavrida::transport::Publication;

use super::*;
use crate::trace::{
    ActorId, ActorKind, Channel, ChannelNumber, Ending, Event, Outcome, SentMessage, Trace, What,
};

/// A trace of one actor with one channel, whose prefetch is 1, and of two messages that were published.
fn published() -> (Trace, ActorId, ChannelNumber, [MessageId; 2]) {
    let mut trace = Trace::default();
    let actor = trace.add_actor("till", ActorKind::Service);
    let queue = "till".to_owned();
    let channel = trace.add_channel(Channel { actor, queue, prefetch: 1, no_ack: false });
    let messages = ["one", "two"].map(|body| {
        let key = ShortString::from_static("till");
        let publication = Arc::new(Publication::new(ShortString::default(), key, body));
        let key = SentMessage::key_of(&publication);
        let id = trace.add_message(SentMessage::new(publication, actor, None, key));
        tell(&mut trace, actor, Some(id), 0, None, What::Published(Outcome::Routed));
        id
    });
    (trace, actor, channel, messages)
}

fn tell(
    trace: &mut Trace,
    actor: ActorId,
    message: Option<MessageId>,
    delivery: u32,
    channel: Option<ChannelNumber>,
    what: What,
) {
    trace.add(Event { at: Duration::ZERO, actor, message, delivery, channel, what });
}

const ARRIVED: What = What::Delivered { redelivered: false };

fn broken_law(trace: &Trace) -> Option<ProblemKind> {
    let facts = Facts::of(trace, Duration::ZERO, &|_| false);
    check(&facts, Waivers::default(), || None).map(|problem| problem.kind)
}

fn law(name: &str) -> Option<ProblemKind> {
    Some(ProblemKind::Law(name.to_owned()))
}

#[test]
fn a_call_that_brings_a_reply_along_is_answered_by_a_method_that_returns_nothing_too() {
    for (brings_a_reply, expected) in [(false, None), (true, law(ONE_ANSWER))] {
        let mut trace = Trace::default();
        let actor = trace.add_actor("till", ActorKind::Service);
        let queue = "till".to_owned();
        let channel = trace.add_channel(Channel { actor, queue, prefetch: 1, no_ack: false });
        let mut publication = Publication::new(ShortString::default(), ShortString::from_static("till"), "");
        publication.properties.kind = Some(ShortString::from_static("request"));
        let headers = publication.properties.headers.get_or_insert_default();
        headers.insert(ShortString::from_static("request_id"), "request-1");
        headers.insert(ShortString::from_static("reply_to"), "shop");
        if brings_a_reply {
            headers.insert(ShortString::from_static("tavrida-later"), tavrida::field::Table::new());
        }
        let publication = Arc::new(publication);
        let key = SentMessage::key_of(&publication);
        let call = Some(trace.add_message(SentMessage::new(publication, actor, None, key)));
        tell(&mut trace, actor, call, 0, None, What::Published(Outcome::Routed));
        tell(&mut trace, actor, call, 1, Some(channel), ARRIVED);
        tell(&mut trace, actor, call, 1, None, What::Started { attempt: 1 });
        tell(&mut trace, actor, call, 1, None, What::Ended(Ending::Quiet));
        tell(&mut trace, actor, call, 1, Some(channel), What::Acked);
        assert_eq!(broken_law(&trace), expected, "with a reply: {brings_a_reply}");
    }
}

#[test]
fn what_overtakes_in_a_queue_breaks_its_order() {
    let (mut trace, actor, channel, [one, two]) = published();
    for message in [two, one] {
        tell(&mut trace, actor, Some(message), 1, Some(channel), ARRIVED);
        tell(&mut trace, actor, Some(message), 1, Some(channel), What::Acked);
    }
    assert_eq!(broken_law(&trace), law(FIFO));
}

#[test]
fn two_unsettled_deliveries_are_more_than_a_prefetch_of_one() {
    let (mut trace, actor, channel, messages) = published();
    for message in messages {
        tell(&mut trace, actor, Some(message), 1, Some(channel), ARRIVED);
    }
    assert_eq!(broken_law(&trace), law(PREFETCH));
}

#[test]
fn a_verdict_on_another_channel_is_not_the_receivers() {
    let (mut trace, actor, channel, [one, _]) = published();
    let queue = "till".to_owned();
    let other = trace.add_channel(Channel { actor, queue, prefetch: 1, no_ack: false });
    tell(&mut trace, actor, Some(one), 1, Some(channel), ARRIVED);
    tell(&mut trace, actor, Some(one), 1, Some(other), What::Acked);
    assert_eq!(broken_law(&trace), law(RECEIVER));
}

#[test]
fn what_waits_for_its_verdict_at_the_end_is_in_flight_unless_its_session_broke() {
    let (mut trace, actor, channel, [one, _]) = published();
    tell(&mut trace, actor, Some(one), 1, Some(channel), ARRIVED);
    assert_eq!(broken_law(&trace), law(IDLE));
    tell(&mut trace, actor, None, 0, None, What::Disconnected("broken".into()));
    assert_eq!(broken_law(&trace), None);
}

#[test]
fn a_handler_that_did_not_end_is_in_flight() {
    let (mut trace, actor, channel, [one, _]) = published();
    tell(&mut trace, actor, Some(one), 1, Some(channel), ARRIVED);
    tell(&mut trace, actor, Some(one), 1, None, What::Started { attempt: 1 });
    tell(&mut trace, actor, Some(one), 1, Some(channel), What::Acked);
    assert_eq!(broken_law(&trace), law(IDLE));
}

#[test]
fn a_law_that_is_not_there_cannot_be_waived_and_the_text_names_those_that_are() {
    let error = Waivers::default().waive("gravity").unwrap_err().to_string();
    assert!(error.starts_with("no law is named 'gravity'; the laws are:\n"), "{error}");
    assert_eq!(error.lines().count(), 1 + ALL.len());
}

#[test]
fn each_name_is_one_laws_alone() {
    let distinct: std::collections::BTreeSet<_> = names().collect();
    assert_eq!(distinct.len(), ALL.len());
}
