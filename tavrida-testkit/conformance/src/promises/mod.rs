//! The table of rooms, each with its promises.

mod alarms;
mod arguments;
mod bindings;
mod closing;
mod consuming;
mod content;
mod dead_letters;
mod ending;
mod exchanges;
mod expiry;
mod getting;
mod headers;
mod isolation;
mod life;
mod limits;
mod loss;
mod owed;
mod ownership;
mod pipelining;
mod priorities;
mod publishing;
mod queues;
mod refusals;
mod replies;
mod routing;
mod settling;
mod topics;

use crate::Promise;

/// Returns every promise, in the order in which the suite checks them.
pub fn promises() -> Vec<Promise> {
    let rooms: [(&'static str, Vec<Promise>); _] = [
        ("life", life::promises()),
        ("exchanges", exchanges::promises()),
        ("routing", routing::promises()),
        ("topics", topics::promises()),
        ("headers", headers::promises()),
        ("bindings", bindings::promises()),
        ("queues", queues::promises()),
        ("arguments", arguments::promises()),
        ("ownership", ownership::promises()),
        ("limits", limits::promises()),
        ("expiry", expiry::promises()),
        ("dead letters", dead_letters::promises()),
        ("dead letters owed", owed::promises()),
        ("priorities", priorities::promises()),
        ("publishing", publishing::promises()),
        ("pipelining", pipelining::promises()),
        ("content", content::promises()),
        ("consuming", consuming::promises()),
        ("ending", ending::promises()),
        ("getting", getting::promises()),
        ("settling", settling::promises()),
        ("replies", replies::promises()),
        ("refusals", refusals::promises()),
        ("closing", closing::promises()),
        ("loss", loss::promises()),
        ("alarms", alarms::promises()),
        ("isolation", isolation::promises()),
    ];
    rooms
        .into_iter()
        .flat_map(|(room, promises)| promises.into_iter().map(move |promise| promise.in_room(room)))
        .collect()
}
