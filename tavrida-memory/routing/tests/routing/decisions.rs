//! Decisions compared with brute force: each witness is valid, and if none is found, no short message is one.

use std::collections::BTreeSet;

use fastrand::Rng;
use tavrida_routing::{
    Behaviour, Destination, Exchange, Message, Outcome, Pattern, Queue, RabbitMq, Topology,
};

use crate::exhaustive::texts;
use crate::random;

fn keys() -> Vec<String> {
    texts(&["a", "b", ""], 4)
}

/// No key of the list is a shorter answer, except for keys with empty words, which come last.
fn check_shortest(found: Option<&str>, keys: &[String], is_answer: impl Fn(&str) -> bool, what: &str) {
    if let Some(found) = found {
        assert!(is_answer(found), "{what}: '{found}' is no answer");
    }
    let is_readable = |key: &str| !key.split('.').any(str::is_empty) || key.is_empty();
    for key in keys.iter().filter(|key| is_answer(key)) {
        let found = found.unwrap_or_else(|| panic!("{what}: '{key}' is an answer and none was found"));
        assert!(!is_readable(key) || found.len() <= key.len(), "{what}: '{key}' is shorter than '{found}'");
    }
}

#[test]
fn overlap_inclusion_and_equality_of_every_two_short_patterns() {
    let patterns: Vec<Pattern> = texts(&["a", "b", "*", "#", ""], 3).into_iter().map(Pattern::new).collect();
    let keys = keys();
    let matrix: Vec<BTreeSet<&str>> = patterns
        .iter()
        .map(|pattern| keys.iter().map(String::as_str).filter(|key| pattern.matches(key)).collect())
        .collect();
    let mut pairs = 0;
    for (a, in_a) in patterns.iter().zip(&matrix) {
        for (b, in_b) in patterns.iter().zip(&matrix) {
            let what = format!("'{a}' and '{b}'");
            let near: Vec<String> = in_a.union(in_b).map(|key| (*key).to_owned()).collect();
            let overlap = a.overlap(b).unwrap();
            check_shortest(overlap.as_deref(), &near, |key| a.matches(key) && b.matches(key), &what);
            let without = a.without([b]).unwrap();
            check_shortest(without.as_deref(), &near, |key| a.matches(key) && !b.matches(key), &what);
            assert_eq!(a.is_within([b]).unwrap(), without.is_none());
            let difference = a.difference(b).unwrap();
            check_shortest(difference.as_deref(), &near, |key| a.matches(key) != b.matches(key), &what);
            pairs += 1;
        }
    }
    println!("decisions: {pairs} pairs of patterns, {} keys each", keys.len());
}

#[test]
fn a_word_that_only_other_patterns_name_is_not_taken_for_any_word() {
    let [any, a, b] = ["*", "a", "b"].map(Pattern::new);
    assert_eq!(any.without([&a, &b]).unwrap().as_deref(), Some("c"));
    // The empty key has no words, and no key has one empty word.
    assert_eq!(any.overlap(&Pattern::new("")).unwrap(), None);
    assert_eq!(Pattern::new("#").without([&Pattern::new("*.#")]).unwrap().as_deref(), Some(""));
}

#[test]
fn keys_are_no_longer_than_255_bytes() {
    let long = format!("{}.#", "x".repeat(254));
    assert_eq!(Pattern::new(&long).without([&Pattern::new("x".repeat(254))]).unwrap().unwrap().len(), 255);
    let (left, right) = (format!("{}.#", "x".repeat(150)), format!("#.{}", "y".repeat(150)));
    assert_eq!(Pattern::new(left).overlap(&Pattern::new(right)).unwrap(), None);
    // 128 words fit if they are short, and more if they are empty.
    let (stars, ends) = (vec!["*"; 128].join("."), format!("#.{}", ["long"; 2].join(".")));
    let key = Pattern::new(stars).overlap(&Pattern::new(ends)).unwrap().unwrap();
    assert!(key.len() <= 255, "{} bytes", key.len());
}

#[test]
fn what_needs_too_many_steps_is_undecided() {
    let pattern = Pattern::new(format!("#.a{}", ".*".repeat(100)));
    let other = Pattern::new(format!("#.b{}", ".*".repeat(100)));
    let undecided = pattern.without([&other, &Pattern::new(format!("#.c{}", ".*".repeat(99)))]);
    if let Err(undecided) = undecided {
        assert!(undecided.to_string().starts_with("undecided: the automaton has more than"), "{undecided}");
    }
    let mut topology = Topology::builder().exchange(Exchange::topic("x")).queue(Queue::new("q"));
    for word in ["a", "b", "c", "d"] {
        topology = topology.bind_queue("q", "x", &format!("#.{word}{}", ".*".repeat(60)));
    }
    let dead = topology.build().unwrap().dead_bindings();
    assert!(!dead.is_complete());
    assert_eq!(dead.cuts[0].exchange, "x");
}

// -- Topologies --

fn messages(topology: &Topology) -> Vec<Message> {
    let sources: BTreeSet<&str> = topology.bindings().iter().map(|binding| binding.source.as_str()).collect();
    let keys = texts(&["a", "b", "", "q0"], 3);
    let all =
        sources.into_iter().flat_map(|exchange| keys.iter().map(move |key| Message::new(exchange, key)));
    all.collect()
}

fn outcome(topology: &Topology, message: &Message) -> Outcome {
    match topology.route(message) {
        Ok(routing) => Outcome::Queues(routing.queues().map(str::to_owned).collect()),
        Err(refusal) => Outcome::Refused(refusal.code, refusal.text),
    }
}

fn without(topology: &Topology, leave_out: impl Fn(usize) -> bool) -> Topology {
    copied(topology, *topology.behaviour(), leave_out)
}

fn copied(topology: &Topology, behaviour: Behaviour, leave_out: impl Fn(usize) -> bool) -> Topology {
    let mut rest = Topology::of("/", behaviour);
    topology.exchanges().for_each(|exchange| rest.declare_exchange(exchange.clone()).unwrap());
    topology.queues().for_each(|queue| rest.declare_queue(queue.clone()).unwrap());
    for (index, binding) in topology.bindings().iter().enumerate() {
        if !leave_out(index) {
            rest.bind(binding.clone()).unwrap();
        }
    }
    rest
}

#[test]
fn dead_bindings_can_be_removed_and_change_nothing() {
    let (mut dead, mut all) = (0, 0);
    for case in 0..250 {
        let topology = random::topology(&mut Rng::with_seed(random::seed() + case));
        let found = topology.dead_bindings();
        assert!(found.is_complete());
        let is_dead = |index: usize| found.iter().any(|dead| dead.binding == topology.bindings()[index]);
        let rest = without(&topology, is_dead);
        dead += found.len();
        all += topology.bindings().len();
        for message in messages(&topology) {
            let (before, after) = (outcome(&topology, &message), outcome(&rest, &message));
            assert_eq!(before, after, "TAVRIDA_SEED={}: {message}: {:?}", random::seed() + case, found.found);
        }
        let diff = topology.diff(&rest);
        assert!(diff.is_empty(), "TAVRIDA_SEED={}: {diff}", random::seed() + case);
        assert!(rest.dead_bindings().is_empty(), "TAVRIDA_SEED={}", random::seed() + case);
    }
    println!("dead bindings: {dead} of {all}");
    assert!(dead > 50);
}

#[test]
fn a_diff_has_witnesses_and_misses_nothing() {
    let (mut changes, mut same) = (0, 0);
    for case in 0..250 {
        let seed = random::seed() + case;
        let mut rng = Rng::with_seed(seed);
        let before = random::topology(&mut rng);
        let gone = rng.usize(..before.bindings().len().max(1));
        let after = without(&before, |index| index == gone);
        let diff = before.diff(&after);
        assert!(diff.is_complete() && diff.declarations.is_empty(), "TAVRIDA_SEED={seed}: {diff}");
        for change in &diff.changes {
            let message = &change.message;
            assert_eq!(outcome(&before, message), change.before, "TAVRIDA_SEED={seed}: {change}");
            assert_eq!(outcome(&after, message), change.after, "TAVRIDA_SEED={seed}: {change}");
            assert!(!change.removed.is_empty(), "TAVRIDA_SEED={seed}: {change}");
        }
        for message in messages(&before) {
            let pair = (outcome(&before, &message), outcome(&after, &message));
            let known = diff.changes.iter().any(|change| {
                change.message.exchange == message.exchange
                    && (change.before.clone(), change.after.clone()) == pair
            });
            assert!(pair.0 == pair.1 || known, "TAVRIDA_SEED={seed}: {message}: {pair:?} is not in {diff}");
        }
        changes += diff.changes.len();
        same += usize::from(diff.changes.is_empty());
    }
    println!("diffs: {changes} changes, {same} of 250 without any");
    assert!(changes > 100 && same > 20);
}

#[test]
fn a_diff_of_two_versions_misses_no_header() {
    let mut changes = 0;
    for case in 0..300 {
        let seed = random::seed() + case;
        let mut rng = Rng::with_seed(seed);
        let before = random::topology(&mut rng);
        let gone = rng.usize(..before.bindings().len().max(1));
        let version = [RabbitMq::V3_10, RabbitMq::V4_0][rng.usize(..2)];
        let after = copied(&before, version.into(), |index| index == gone);
        let diff = before.diff(&after);
        assert!(diff.is_complete(), "TAVRIDA_SEED={seed}: {diff}");
        for change in &diff.changes {
            assert_eq!(outcome(&before, &change.message), change.before, "TAVRIDA_SEED={seed}: {change}");
            assert_eq!(outcome(&after, &change.message), change.after, "TAVRIDA_SEED={seed}: {change}");
        }
        for _ in 0..200 {
            let message = random::message(&mut rng);
            let is_covered = !message.exchange.is_empty()
                && !["CC", "BCC"].iter().any(|name| message.headers.contains(name));
            let pair = (outcome(&before, &message), outcome(&after, &message));
            let known = diff.changes.iter().any(|change| {
                change.message.exchange == message.exchange
                    && (change.before.clone(), change.after.clone()) == pair
            });
            assert!(
                !is_covered || pair.0 == pair.1 || known,
                "TAVRIDA_SEED={seed}: {message}: {pair:?} is not in {diff}\n{before:#?}"
            );
        }
        changes += diff.changes.len();
    }
    println!("diffs of two versions: {changes} changes");
    assert!(changes > 300);
}

#[test]
fn unroutable_messages_and_unreachable_queues_are_such() {
    for case in 0..300 {
        let seed = random::seed() + case;
        let topology = random::topology(&mut Rng::with_seed(seed));
        let reached: BTreeSet<String> = messages(&topology)
            .iter()
            .filter_map(|message| topology.route(message).ok())
            .flat_map(|routing| routing.queues().map(str::to_owned).collect::<Vec<_>>())
            .collect();
        for queue in topology.unreachable_queues().iter() {
            assert!(!reached.contains(*queue), "TAVRIDA_SEED={seed}: {queue} is reached");
        }
        for exchange in topology.exchanges().filter(|exchange| !exchange.internal) {
            let found = topology.unroutable(&exchange.name);
            let returned =
                |message: &Message| topology.route(message).is_ok_and(|routing| routing.is_returned());
            match &*found {
                Some(message) => assert!(returned(message), "TAVRIDA_SEED={seed}: {message}"),
                None => {
                    let of_it =
                        messages(&topology).into_iter().filter(|message| message.exchange == exchange.name);
                    let first = of_it.filter(returned).map(|message| message.to_string()).next();
                    assert_eq!(first, None, "TAVRIDA_SEED={seed}");
                }
            }
        }
    }
}

// -- Stories --

#[test]
fn a_binding_to_an_exchange_that_leads_nowhere_swallows() {
    let topology = Topology::builder()
        .exchange(Exchange::topic("orders").alternate_exchange("unrouted"))
        .exchange(Exchange::topic("eu"))
        .exchange(Exchange::fanout("unrouted"))
        .queue(Queue::new("eu"))
        .queue(Queue::new("unrouted"))
        .bind_exchange("eu", "orders", "eu.#")
        .bind_queue("eu", "eu", "eu.*.paid")
        .bind_queue("unrouted", "unrouted", "")
        .build()
        .unwrap();
    let swallowed = topology.swallowed("orders");
    assert_eq!(swallowed.as_ref().map(|message| message.key.as_str()), Some("eu"));
    assert!(topology.unused_alternates().is_empty());

    let mut all = topology.clone();
    all.bind(tavrida_routing::Binding::queue("eu", "orders", "#")).unwrap();
    assert_eq!(all.unused_alternates().found, ["orders"]);
}

#[test]
fn cycles_of_dead_letters_and_of_exchanges_are_found_once() {
    let topology = Topology::builder()
        .exchange(Exchange::topic("a"))
        .exchange(Exchange::topic("b").alternate_exchange("a"))
        .exchange(Exchange::topic("retry"))
        .queue(Queue::new("work").dead_letter_to("retry"))
        .queue(Queue::new("wait").dead_letter("", "work").argument("x-message-ttl", 1000))
        .queue(Queue::new("other").dead_letter("retry", "other"))
        .bind_exchange("b", "a", "#")
        .bind_queue("work", "a", "work.*")
        .bind_queue("wait", "retry", "work.#")
        .build()
        .unwrap();
    assert_eq!(topology.exchange_loops(), [["a", "b"]]);
    let loops: Vec<String> = topology.dead_letter_loops().iter().map(ToString::to_string).collect();
    assert_eq!(loops, ["wait -> work -> wait (for as long as it is rejected)"]);
}

#[test]
fn a_binding_of_an_internal_exchange_to_which_its_keys_never_come_is_dead() {
    let topology = Topology::builder()
        .exchange(Exchange::topic("orders"))
        .exchange(Exchange::topic("inner").internal())
        .queue(Queue::new("q"))
        .queue(Queue::new("never"))
        .bind_exchange("inner", "orders", "order.#")
        .bind_queue("q", "inner", "*.paid")
        .bind_queue("never", "inner", "invoice.*")
        .build()
        .unwrap();
    let dead = topology.dead_bindings();
    let texts: Vec<String> = dead.iter().map(ToString::to_string).collect();
    let expected = "inner --'invoice.*'--> queue 'never': no message that it matches comes to its exchange";
    assert_eq!(texts, [expected]);
    assert_eq!(topology.unreachable_queues().found, ["never"]);
}

#[test]
fn a_diff_shows_each_class_of_a_new_exchange() {
    let before = Topology::builder().queue(Queue::new("q")).queue(Queue::new("r"));
    let after =
        before.clone().exchange(Exchange::topic("x")).bind_queue("q", "x", "a").bind_queue("r", "x", "#.b");
    let (before, after) = (before.build().unwrap(), after.build().unwrap());
    let missing = "refused: 404 NOT_FOUND - no exchange 'x' in vhost '/'";
    assert_eq!(
        before.diff(&after).to_string(),
        format!(
            "exchange 'x' is new\n'' to 'x': {missing} -> returned\n\
             'a' to 'x': {missing} -> q (new: x --'a'--> queue 'q')\n\
             'b' to 'x': {missing} -> r (new: x --'#.b'--> queue 'r')\n"
        )
    );
    assert_eq!(after.diff(&before).changes.len(), 3);
}

#[test]
fn a_diff_names_what_is_declared_otherwise() {
    let before = Topology::builder().queue(Queue::new("q").max_length(5)).build().unwrap();
    let after = Topology::builder().queue(Queue::new("q")).queue(Queue::new("new")).build().unwrap();
    assert_eq!(
        before.diff(&after).to_string(),
        "queue 'new' is new\nqueue 'q' is declared otherwise: a node answers 406 PRECONDITION_FAILED - inequivalent arg \
         'x-max-length' for queue 'q' in vhost '/': received none but current is the value '5' of type 'long'\n"
    );
    let missing = Destination::Queue("new".to_owned());
    assert!(
        matches!(&after.diff(&before).declarations[0], tavrida_routing::DeclarationChange::Removed(what) if *what == missing)
    );
}
