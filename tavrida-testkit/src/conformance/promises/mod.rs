//! The table of rooms, and in each its promises.

mod bindings;
mod content;
mod exchanges;
mod headers;
mod life;
mod pipelining;
mod publishing;
mod routing;
mod topics;

use super::Promise;

/// Every promise, in the order in which the suite looks at them.
pub fn promises() -> Vec<Promise> {
    let rooms: [(&'static str, Vec<Promise>); _] = [
        ("life", life::promises()),
        ("exchanges", exchanges::promises()),
        ("routing", routing::promises()),
        ("topics", topics::promises()),
        ("headers", headers::promises()),
        ("bindings", bindings::promises()),
        ("publishing", publishing::promises()),
        ("pipelining", pipelining::promises()),
        ("content", content::promises()),
    ];
    rooms
        .into_iter()
        .flat_map(|(room, promises)| promises.into_iter().map(move |promise| promise.in_room(room)))
        .collect()
}
