//! Laws of the channels on which messages arrive.

use rustc_hash::FxHashMap;

use super::{Broken, Facts};
use crate::trace::{ChannelNumber, Event, MessageId, What};

/// See [`FIFO`](super::FIFO).
pub(super) fn fifo(facts: &Facts<'_>) -> Option<Broken> {
    if facts.live {
        return None;
    }
    // The index of the event with which a queue got it. `None` if it came another way.
    let mut enqueued: Vec<Option<usize>> = vec![None; facts.trace.messages().len()];
    let mut latest: Vec<Option<(usize, MessageId)>> = vec![None; facts.trace.channels().len()];
    for (place, event) in facts.trace.events().iter().enumerate() {
        let Some(id) = event.message else { continue };
        match (&event.what, event.channel) {
            (What::Published(outcome), _) if outcome.is_taken() => {
                enqueued[id.index()].get_or_insert(place);
            }
            (What::Delivered { redelivered: false }, Some(channel)) if event.delivery == 1 => {
                let Some(place) = enqueued[id.index()].filter(|_| !is_prioritised(facts, id)) else {
                    continue;
                };
                let latest = &mut latest[channel.index()];
                if let Some((_, before)) = latest.filter(|(other, _)| *other > place) {
                    let text = format!(
                        "{} was published before {}, and arrived after it",
                        facts.name(id),
                        facts.name(before)
                    );
                    return facts
                        .broken(event, format!("{text}, from the queue '{}'", queue(facts, channel)));
                }
                *latest = Some((place, id));
            }
            _ => {}
        }
    }
    None
}

fn is_prioritised(facts: &Facts<'_>, id: MessageId) -> bool {
    facts.trace.message(id).publication().properties.priority.is_some()
}

fn queue<'t>(facts: &Facts<'t>, channel: ChannelNumber) -> &'t str {
    &facts.trace.channels()[channel.index()].queue
}

/// See [`PREFETCH`](super::PREFETCH).
pub(super) fn prefetch(facts: &Facts<'_>) -> Option<Broken> {
    let channels = facts.trace.channels();
    let mut unsettled: Vec<u32> = vec![0; channels.len()];
    for event in facts.trace.events() {
        let Some(number) = event.channel else { continue };
        let channel = &channels[number.index()];
        let unsettled = &mut unsettled[number.index()];
        match event.what {
            What::Delivered { .. } if !channel.no_ack => *unsettled += 1,
            _ if is_verdict(event) => *unsettled = unsettled.saturating_sub(1),
            _ => {}
        }
        if channel.prefetch > 0 && *unsettled > u32::from(channel.prefetch) {
            let text = format!(
                "the consumer of '{}' has a prefetch of {} and {unsettled} unsettled deliveries",
                channel.queue, channel.prefetch
            );
            return facts.broken(event, text);
        }
    }
    None
}

/// See [`RECEIVER`](super::RECEIVER).
pub(super) fn receiver(facts: &Facts<'_>) -> Option<Broken> {
    let many = facts.trace.messages().len();
    let mut arrived: FxHashMap<(MessageId, u32), ChannelNumber> =
        FxHashMap::with_capacity_and_hasher(many, Default::default());
    for (event, id) in facts.events() {
        let Some(channel) = event.channel else { continue };
        let delivery = (id, event.delivery);
        if matches!(event.what, What::Delivered { .. }) {
            arrived.insert(delivery, channel);
        } else if is_verdict(event) && arrived.get(&delivery) != Some(&channel) {
            let text = format!("a verdict on {} came on a channel where it did not arrive", facts.name(id));
            return facts.broken(event, text);
        }
    }
    None
}

/// Returns whether an event settles a delivery.
pub(super) fn is_verdict(event: &Event) -> bool {
    matches!(event.what, What::Acked | What::Rejected | What::Requeued | What::AckLost | What::Zombie)
}
