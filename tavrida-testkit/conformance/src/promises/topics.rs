//! How topic exchanges match keys against patterns.

use tavrida::transport::{Binding, ExchangeKind, Publication, PublishError, PublishErrorKind};

use crate::check::{Fault, Kept, holds, same};
use crate::harness::Harness;
use crate::promise::promise;
use crate::values::{named, short};
use crate::{Capability, Promise};

pub(super) fn promises() -> Vec<Promise> {
    vec![
        promise("each of 33 patterns matches those of 21 keys that it should", "R31-R35, S4", patterns)
            .needing(Capability::TopicExchange),
        promise("wildcards in a routing key are ordinary words", "R33, S4", literal_keys)
            .needing(Capability::TopicExchange),
        promise("a key of 255 bytes and 128 words is matched", "R32, R35", long_key)
            .needing(Capability::TopicExchange),
    ]
}

const KEYS: [&str; 21] = [
    "", "a", "b", "ab", "A", "a.", ".", ".a", "a.b", "a.c", "b.a", "..", "a..b", "a.b.c", "a.c.b", "a.b.c.d",
    "a.b.b", "#", "*", "a.*", "é.b",
];

/// Patterns, each with the keys of [`KEYS`] that it matches, derived by hand from R31 to R33.
const PATTERNS: [(&str, &[&str]); 33] = [
    ("", &[""]),
    (
        "#",
        &[
            "", "a", "b", "ab", "A", "a.", ".", ".a", "a.b", "a.c", "b.a", "..", "a..b", "a.b.c", "a.c.b",
            "a.b.c.d", "a.b.b", "#", "*", "a.*", "é.b",
        ],
    ),
    ("*", &["a", "b", "ab", "A", "#", "*"]),
    ("a", &["a"]),
    ("A", &["A"]),
    ("a.b", &["a.b"]),
    ("a.*", &["a.", "a.b", "a.c", "a.*"]),
    ("*.b", &["a.b", "é.b"]),
    ("*.*", &["a.", ".", ".a", "a.b", "a.c", "b.a", "a.*", "é.b"]),
    ("a.#", &["a", "a.", "a.b", "a.c", "a..b", "a.b.c", "a.c.b", "a.b.c.d", "a.b.b", "a.*"]),
    ("#.b", &["b", "a.b", "a..b", "a.c.b", "a.b.b", "é.b"]),
    ("a.#.b", &["a.b", "a..b", "a.c.b", "a.b.b"]),
    ("#.a.#", &["a", "a.", ".a", "a.b", "a.c", "b.a", "a..b", "a.b.c", "a.c.b", "a.b.c.d", "a.b.b", "a.*"]),
    (
        "#.*",
        &[
            "a", "b", "ab", "A", "a.", ".", ".a", "a.b", "a.c", "b.a", "..", "a..b", "a.b.c", "a.c.b",
            "a.b.c.d", "a.b.b", "#", "*", "a.*", "é.b",
        ],
    ),
    (
        "*.#",
        &[
            "a", "b", "ab", "A", "a.", ".", ".a", "a.b", "a.c", "b.a", "..", "a..b", "a.b.c", "a.c.b",
            "a.b.c.d", "a.b.b", "#", "*", "a.*", "é.b",
        ],
    ),
    (
        "*.#.*",
        &[
            "a.", ".", ".a", "a.b", "a.c", "b.a", "..", "a..b", "a.b.c", "a.c.b", "a.b.c.d", "a.b.b", "a.*",
            "é.b",
        ],
    ),
    (
        "#.#",
        &[
            "", "a", "b", "ab", "A", "a.", ".", ".a", "a.b", "a.c", "b.a", "..", "a..b", "a.b.c", "a.c.b",
            "a.b.c.d", "a.b.b", "#", "*", "a.*", "é.b",
        ],
    ),
    ("a.*.c", &["a.b.c"]),
    ("a.*.#", &["a.", "a.b", "a.c", "a..b", "a.b.c", "a.c.b", "a.b.c.d", "a.b.b", "a.*"]),
    (".", &["."]),
    ("*.", &["a.", "."]),
    (".#", &[".", ".a", ".."]),
    ("#.", &["a.", ".", ".."]),
    ("a..b", &["a..b"]),
    ("a.*.b", &["a..b", "a.c.b", "a.b.b"]),
    ("a.*.*.b", &[]),
    ("a#", &[]),
    ("**", &[]),
    ("##", &[]),
    ("a.b#", &[]),
    ("*.*.*", &["..", "a..b", "a.b.c", "a.c.b", "a.b.b"]),
    ("#.b.#.b", &["a.b.b"]),
    ("é.*", &["é.b"]),
];

async fn patterns(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let queue = peer.a_queue("q").await?;
    for (number, (pattern, expected)) in PATTERNS.iter().enumerate() {
        let exchange = peer.an_exchange(&format!("x{number}"), ExchangeKind::Topic).await?;
        peer.tie(&Binding::queue(&queue, &exchange, short(pattern))).await?;
        let publications = KEYS.map(|key| Publication::new(&exchange, short(key), "m")).to_vec();
        let outcomes = peer.outcomes(peer.start(publications).await).await?;
        let mut matched = Vec::new();
        for (key, outcome) in KEYS.into_iter().zip(outcomes) {
            if routed(outcome)? {
                matched.push(key);
            }
        }
        same(&format!("the keys that '{pattern}' matches"), &matched[..], *expected)?;
    }
    Ok(())
}

fn routed(outcome: Result<(), PublishError>) -> Result<bool, Fault> {
    match outcome {
        Ok(()) => Ok(true),
        Err(PublishError { reason: PublishErrorKind::Unroutable, .. }) => Ok(false),
        Err(unpublished) => Err(Fault::new("routed or unroutable", unpublished)),
    }
}

async fn literal_keys(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let exchange = peer.an_exchange("x", ExchangeKind::Topic).await?;
    let (word, star) = (peer.a_queue("word").await?, peer.a_queue("star").await?);
    peer.tie(&Binding::queue(&word, &exchange, short("orders"))).await?;
    peer.tie(&Binding::queue(&star, &exchange, short("*"))).await?;
    for key in ["#", "*"] {
        peer.send(Publication::new(&exchange, short(key), key)).await?;
    }
    peer.holds(&word, &[]).await?;
    peer.holds(&star, &["#", "*"]).await
}

async fn long_key(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let exchange = peer.an_exchange("x", ExchangeKind::Topic).await?;
    let queue = peer.a_queue("q").await?;
    peer.tie(&Binding::queue(&queue, &exchange, short("*.#.z"))).await?;
    for (last, expected) in [("z", true), ("a", false)] {
        let mut words = vec!["a"; 127];
        words.push(last);
        let key = named(words.join("."));
        holds(key.len() == 255, "a key of 255 bytes", key.len())?;
        let reached = peer.reaches(Publication::new(&exchange, key, "m")).await?;
        same(&format!("a key that ends with '{last}': routed"), &reached, &expected)?;
    }
    Ok(())
}
