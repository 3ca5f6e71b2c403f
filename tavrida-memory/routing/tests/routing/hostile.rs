//! Hostile definitions files and topologies: each is a right answer or an error with its place, and none panics or runs without end.

use std::time::Duration;

use fastrand::Rng;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value as Json, json};
use tavrida_routing::{Binding, DeathReason, Definitions, Exchange, Message, Pattern, Queue, Topology};

use crate::definitions::{export, parse};
use crate::random::seed;

/// Reads a file. What can be read can be examined, written and read again; an error has a place.
fn read(text: &str) -> Result<Definitions, String> {
    let definitions = match Definitions::parse(text) {
        Ok(definitions) => definitions,
        Err(error) => {
            assert!(error.path().starts_with('$'), "{error}");
            assert!(error.to_string().len() < 2000, "{error}");
            return Err(error.to_string());
        }
    };
    for host in definitions.virtual_hosts() {
        let topology = definitions.topology(host).expect("it is listed");
        drop((topology.lint(), topology.mermaid(), topology.dot()));
        for queue in topology.queues() {
            let routing =
                topology.route(&Message::new("", &queue.name)).expect("the default exchange is open");
            drop(routing.after_death(&queue.name, DeathReason::Expired));
        }
    }
    let written = definitions.to_json().expect("what was read can be written");
    let again = Definitions::parse(&written).expect("what was written can be read");
    for host in definitions.virtual_hosts() {
        assert_eq!(again.topology(host), definitions.topology(host), "{text}");
    }
    Ok(definitions)
}

/// A change of the bytes of a file.
#[derive(Debug, Clone)]
enum Edit {
    Set(prop::sample::Index, u8),
    Remove(prop::sample::Index, u8),
    /// Repeats what begins here at another place.
    Copy(prop::sample::Index, prop::sample::Index, u8),
    Insert(prop::sample::Index, &'static str),
}

/// Pieces of JSON, and texts that mean something in a definitions file.
const PIECES: [&str; 18] = [
    "{}",
    "[]",
    "null",
    "true",
    "-1",
    "1e400",
    "18446744073709551615",
    "\"\"",
    "\"amq.topic\"",
    "\"/\"",
    "\\u0000",
    "\"(?=(a+)+)\"",
    ",",
    ":",
    "}",
    "]",
    "\"x-match\": \"any\",",
    "\"x-queue-type\": \"stream\",",
];

fn edit() -> impl Strategy<Value = Edit> {
    let place = any::<prop::sample::Index>;
    prop_oneof![
        (place(), any::<u8>()).prop_map(|(at, byte)| Edit::Set(at, byte)),
        (place(), any::<u8>()).prop_map(|(at, length)| Edit::Remove(at, length)),
        (place(), place(), any::<u8>()).prop_map(|(from, to, length)| Edit::Copy(from, to, length)),
        (place(), prop::sample::select(PIECES.to_vec())).prop_map(|(at, piece)| Edit::Insert(at, piece)),
    ]
}

fn edited(text: &str, edits: &[Edit]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for edit in edits {
        let end = |at: usize, length: u8, bytes: &[u8]| (at + usize::from(length)).min(bytes.len());
        match edit {
            Edit::Set(at, byte) => {
                let at = at.index(bytes.len().max(1));
                bytes.splice(at..end(at, 1, &bytes), [*byte]);
            }
            Edit::Remove(at, length) => {
                let at = at.index(bytes.len() + 1);
                bytes.drain(at..end(at, *length, &bytes));
            }
            Edit::Copy(from, to, length) => {
                let from = from.index(bytes.len() + 1);
                let copied = bytes[from..end(from, *length, &bytes)].to_vec();
                let to = to.index(bytes.len() + 1);
                bytes.splice(to..to, copied);
            }
            Edit::Insert(at, piece) => {
                let at = at.index(bytes.len() + 1);
                bytes.splice(at..at, piece.bytes());
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Runs a property with the seed of the random tests, and prints how many of the files were valid.
fn fuzz<S: Strategy>(what: &str, cases: u32, strategy: S, test: impl Fn(S::Value) -> bool) {
    let mut bytes = [0; 32];
    Rng::with_seed(seed()).fill(&mut bytes);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let valid = std::cell::Cell::new(0);
    let outcome = TestRunner::new_with_rng(config, rng).run(&strategy, |value| {
        valid.set(valid.get() + u32::from(test(value)));
        Ok(())
    });
    println!("{what}: {cases} files, {} valid (TAVRIDA_SEED={})", valid.get(), seed());
    outcome.unwrap_or_else(|error| panic!("TAVRIDA_SEED={}: {error}", seed()));
}

#[test]
fn random_bytes_are_an_error_or_a_right_answer() {
    let text = prop::collection::vec(any::<u8>(), 0..200)
        .prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    fuzz("random bytes", 3000, text, |text| read(&text).is_ok());
    let pieces = prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..20)
        .prop_map(|pieces| pieces.concat());
    fuzz("random pieces", 3000, pieces, |text| read(&text).is_ok());
}

#[test]
fn a_changed_export_is_an_error_or_a_right_answer() {
    let text = serde_json::to_string_pretty(&export()).unwrap();
    let edits = prop::collection::vec(edit(), 1..6);
    fuzz("changed exports", 4000, edits, |edits| read(&edited(&text, &edits)).is_ok());
}

#[test]
fn every_cut_of_a_file_and_every_wrong_value_is_an_error_or_a_right_answer() {
    let text = export().to_string();
    for end in 0..text.len() {
        assert!(Definitions::parse(&text[..end]).is_err(), "cut at {end}");
    }
    let wrong = [
        json!(null),
        json!(-1),
        json!(1.5e300),
        json!(""),
        json!("\u{0}\n"),
        json!([[]]),
        json!({"a": {}}),
        json!(true),
    ];
    let mut pointers = Vec::new();
    collect(&export(), "", &mut pointers);
    let mut errors = 0;
    for pointer in &pointers {
        for wrong in &wrong {
            let mut document = export();
            *document.pointer_mut(pointer).unwrap() = wrong.clone();
            errors += usize::from(read(&document.to_string()).is_err());
        }
    }
    println!("wrong values: {} tried, {errors} refused", pointers.len() * wrong.len());
}

/// Collects the pointers to all values of a document.
fn collect(json: &Json, at: &str, into: &mut Vec<String>) {
    let escaped = |name: &str| name.replace('~', "~0").replace('/', "~1");
    match json {
        Json::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| collect(item, &format!("{at}/{index}"), into))
        }
        Json::Object(object) => {
            object.iter().for_each(|(name, item)| collect(item, &format!("{at}/{}", escaped(name)), into))
        }
        _ => {}
    }
    into.push(at.to_owned());
}

#[test]
fn nesting_without_end_is_an_error() {
    let deep = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let text = format!("{{\"queues\": [{{\"name\": \"q\", \"arguments\": {{\"x-a\": {}}}}}]}}", deep(9000));
    assert!(Definitions::parse(&text).unwrap_err().to_string().contains("recursion limit"));
    assert!(Definitions::parse(&"[".repeat(100_000)).is_err());
}

// -- Policies --

#[test]
fn a_policy_whose_pattern_explodes_is_an_error() {
    let mut document = export();
    document["policies"][0]["pattern"] = json!("^(a|a|(?=a)a)*(?!x)$");
    document["queues"][0]["name"] = json!("a".repeat(200) + "b");
    document["bindings"][0]["destination"] = json!("a".repeat(200) + "b");
    let error = read(&document.to_string()).unwrap_err();
    assert!(
        error.starts_with("$.policies[0].pattern: the pattern does not come to an end on the name 'aaa"),
        "{error}"
    );
}

#[test]
fn patterns_that_are_no_regular_expressions_are_errors() {
    for pattern in ["(", "[", "*", "\\", "(?P<", "(\\w{1000}){1000}"] {
        let mut document = export();
        document["policies"][0]["pattern"] = json!(pattern);
        let error = read(&document.to_string()).expect_err(pattern);
        let expected = format!("$.policies[0].pattern: found {pattern:?}, expected a regular expression: ");
        assert!(error.starts_with(&expected), "{error}");
    }
}

#[test]
fn the_work_of_many_policies_on_many_names_is_limited() {
    // Each pattern alone is within its limit on each name.
    let slow = json!({"vhost": "/", "pattern": "^(a|a|(?=a)a)*(?!x)$", "definition": {"max-length": 1}});
    let queues: Vec<Json> =
        (0..300).map(|n| json!({"name": format!("{}{n}", "a".repeat(10)), "vhost": "/"})).collect();
    let file = |policies: usize| {
        json!({"vhosts": [{"name": "/"}], "queues": queues, "policies": vec![slow.clone(); policies]})
            .to_string()
    };
    let error = read(&file(300)).unwrap_err();
    assert!(error.contains("the pattern does not come to an end on the name"), "{error}");
    assert_eq!(
        read(&file(40_000)).unwrap_err(),
        "$.policies: found 40000 policies and parameters for 300 names, expected fewer"
    );
}

// -- Size --

/// 50 MB in which everything that is compared with others comes often.
#[test]
fn fifty_megabytes_are_read() {
    let count = 60_000;
    let exchanges = json!([{"name": "h", "vhost": "/", "type": "headers"}]);
    let queues: Vec<Json> =
        (0..count).map(|n| json!({"name": format!("q{n}"), "vhost": "/", "note": "x".repeat(600)})).collect();
    let topic = (0..count).map(|n| {
        json!({"source": "amq.topic", "vhost": "/", "destination": format!("q{n}"), "destination_type": "queue",
               "routing_key": format!("k.{n}.#")})
    });
    // One source, one destination, one key: only the arguments differ.
    let headers = (0..count).map(|n| {
        json!({"source": "h", "vhost": "/", "destination": "q0", "destination_type": "queue", "routing_key": "",
               "arguments": {"x-match": "all", "n": n}})
    });
    let bindings: Vec<Json> = topic.chain(headers).collect();
    let text =
        json!({"vhosts": [{"name": "/"}], "exchanges": exchanges, "queues": queues, "bindings": bindings})
            .to_string();
    assert!(text.len() > 50_000_000, "{} bytes", text.len());
    let definitions = Definitions::parse(&text).unwrap();
    let topology = definitions.topology("/").unwrap();
    assert_eq!((topology.queues().count(), topology.bindings().len()), (count, 2 * count));
    assert!(topology.route(&Message::new("amq.topic", "k.7")).unwrap().reaches("q7"));
    assert!(topology.route(&Message::new("h", "").header("n", 7i64)).unwrap().reaches("q0"));
}

#[test]
fn names_and_keys_are_at_most_255_bytes() {
    for pointer in ["/queues/0/name", "/exchanges/0/name", "/bindings/0/routing_key"] {
        let with = |length: usize| {
            let mut document = export();
            *document.pointer_mut(pointer).unwrap() = json!("n".repeat(length));
            document["bindings"].as_array_mut().unwrap().truncate(usize::from(pointer.contains("bindings")));
            read(&document.to_string())
        };
        let error = with(256).unwrap_err();
        assert!(error.contains("has 256 bytes, expected at most 255"), "{error}");
        with(255).unwrap();
    }
}

#[test]
fn a_key_of_ten_thousand_words() {
    let key = vec!["a"; 10_000].join(".");
    let topology = parse(&export()).topology("/").unwrap().clone();
    let error = topology.route(&Message::new("orders", &key)).unwrap_err();
    assert_eq!(
        error.text,
        "SYNTAX_ERROR - routing key 'a.a.a.a.a.a.a.a.a.a....' has 19999 bytes, expected at most 255"
    );
    assert!(topology.clone().bind(Binding::queue("work", "orders", &key)).is_err());
    // A pattern may have any length: no key of 255 bytes matches this one.
    let (long, any) = (Pattern::new(&key), Pattern::new("#"));
    assert!(any.matches(&key) && long.matches(&key));
    assert_eq!((long.example().unwrap(), long.overlap(&any).unwrap()), (None, None));
    assert!(long.is_within([&any]).unwrap());
}

// -- Topologies --

#[test]
fn empty_words_in_patterns_and_keys() {
    let topology = Topology::builder()
        .exchange(Exchange::topic("x"))
        .queue(Queue::new("q"))
        .bind_queue("q", "x", "a..b")
        .bind_queue("q", "x", ".#.")
        .build()
        .unwrap();
    let reaches = |key: &str| topology.route(&Message::new("x", key)).unwrap().reaches("q");
    assert!(reaches("a..b") && reaches(".") && reaches("...") && !reaches("a.b") && !reaches(""));
    assert!(topology.dead_bindings().is_empty() && topology.dead_bindings().is_complete());
    assert_eq!(topology.unroutable("x").as_ref().map(|message| message.key.as_str()), Some(""));
}

/// Exchanges and queues in circles of every kind: bindings, alternates, dead letters.
#[test]
fn circles_of_exchanges_and_of_dead_letters_end() {
    let name = |prefix: &str, number: usize| format!("{prefix}{}", number % 30);
    let mut topology = Topology::builder();
    for number in 0..30 {
        let queue = Queue::new(name("q", number))
            .dead_letter_to(name("x", number + 1))
            .message_ttl(Duration::from_secs(1));
        topology = topology
            .exchange(Exchange::topic(name("x", number)).alternate_exchange(name("x", number + 7)))
            .queue(queue)
            .bind_exchange(&name("x", number + 1), &name("x", number), "#")
            .bind_exchange(&name("x", number), &name("x", number), "*.#")
            .bind_queue(&name("q", number), &name("x", number), "a.#");
    }
    let topology = topology.build().unwrap();
    let mut routing = topology.route(&Message::new("x0", "a.b")).unwrap();
    assert_eq!(routing.queues().len(), 30);
    for _ in 0..40 {
        routing = routing.after_death("q3", DeathReason::Rejected).unwrap();
    }
    let expired = routing.after_death("q3", DeathReason::Expired).unwrap();
    assert_eq!(expired.dropped_in_cycle().collect::<Vec<_>>(), ["q3"], "not rejected since it was there");
    assert_eq!(topology.exchange_loops().len(), 30, "the shortest one of each exchange: with itself");
    assert!(topology.dead_letter_loops().is_complete());
    assert!(topology.lint().findings().len() < 500);
    assert!(topology.diff(&topology).is_empty());
}
