//! [`of`]: the lanes of a story and their positions.

use std::collections::BTreeMap;

use super::{shortened, width_of};
use crate::picture::story::Story;
use crate::trace::{ActorId, ActorKind, What};

/// The minimum and the maximum distance between two lanes.
const DISTANCE: (i32, i32) = (120, 250);

/// An actor's lane.
pub(in crate::picture) struct Lane {
    pub(in crate::picture) actor: ActorId,
    pub(in crate::picture) name: String,
    pub(in crate::picture) kind: ActorKind,
    /// Its kind, for people.
    pub(in crate::picture) role: &'static str,
    pub(in crate::picture) x: i32,
    /// The width of its head.
    pub(in crate::picture) width: i32,
}

/// Returns the lanes of a story: the broker, then the others in the order of their first action, with the replicas of a service side by
/// side.
pub(super) fn of(story: &Story<'_>) -> Vec<Lane> {
    let mut services: Vec<&str> = Vec::new();
    let mut cast: Vec<ActorId> = Vec::new();
    // Actors that only connect come last.
    let acting = story.events.iter().filter(|event| !matches!(event.what, What::Connected));
    for event in acting.chain(&story.events) {
        if event.actor.index() > 0 && !cast.contains(&event.actor) {
            cast.push(event.actor);
            let service = story.trace.actor(event.actor).service();
            if !services.contains(&service) {
                services.push(service);
            }
        }
    }
    let place = |actor: &ActorId| {
        let service = story.trace.actor(*actor).service();
        (services.iter().position(|known| *known == service), *actor)
    };
    cast.sort_by_key(place);
    if speaks(story) {
        cast.insert(0, ActorId::of_peer(0));
    }
    let mut lanes: Vec<Lane> = cast.into_iter().map(|actor| lane(story, actor)).collect();
    spread(story, &mut lanes);
    lanes
}

/// Returns whether an event of a story belongs to the broker.
fn speaks(story: &Story<'_>) -> bool {
    story.events.iter().any(|event| {
        let is_his = event.actor.index() == 0;
        let sent_by = |message| story.trace.message(message).sender().index();
        is_his
            || matches!(event.what, What::Delivered { redelivered } if redelivered && event.delivery > 1)
            || event.message.is_some_and(|message| sent_by(message) == 0)
    })
}

fn lane(story: &Story<'_>, id: ActorId) -> Lane {
    let actor = story.trace.actor(id);
    let (name, role) = match actor.kind() {
        ActorKind::Simulation => ("broker", "and simulation"),
        ActorKind::Service => (actor.name(), "service"),
        ActorKind::Stub => (actor.name(), "stub"),
        ActorKind::Client => (actor.name(), "client"),
    };
    let name = shortened(name);
    let width = width_of(&name).max(width_of(role)) + 28;
    Lane { actor: id, name, kind: actor.kind(), role, x: 0, width }
}

/// Positions the lanes: far enough apart for their heads and for the labels between them.
fn spread(story: &Story<'_>, lanes: &mut [Lane]) {
    let place: BTreeMap<ActorId, usize> =
        lanes.iter().enumerate().map(|(at, lane)| (lane.actor, at)).collect();
    let mut distance = vec![DISTANCE.0; lanes.len()];
    let mut said: Vec<Option<String>> = vec![None; story.trace.messages().len()];
    for event in &story.events {
        match (&event.what, event.message) {
            (What::Published(outcome), Some(message)) => {
                said[message.index()].get_or_insert_with(|| story.sent(message, outcome));
            }
            (What::Delivered { .. }, Some(message)) => {
                let sender = story.trace.message(message).sender();
                let (Some(from), Some(to)) = (place.get(&sender), place.get(&event.actor)) else { continue };
                if from.abs_diff(*to) == 1
                    && let Some(text) = &said[message.index()]
                {
                    let room = &mut distance[*from.min(to)];
                    *room = (*room).max(width_of(&shortened(text)) + 36);
                }
            }
            _ => {}
        }
    }
    let mut x = 0;
    for at in 0..lanes.len() {
        if at > 0 {
            let heads = lanes[at - 1].width.midpoint(lanes[at].width) + 12;
            x += distance[at - 1].min(DISTANCE.1).max(heads);
        }
        lanes[at].x = x;
    }
}
