//! Sequence diagrams, as text.

use std::collections::BTreeSet;

use tavrida::message::Failure;
use tavrida_testkit::picture::Picture;
use tavrida_testkit::sim::{Finished, Setup, Sim, Verdict};
use tavrida_testkit::trace::What;

use crate::scenarios::{busy, graph, hostile, isolated, order, storm, stubborn, troubled};

/// A line of a diagram, parsed by the grammar of the diagrams.
#[derive(Debug, PartialEq)]
enum Line<'a> {
    Participant { id: &'a str },
    Arrow { from: &'a str, line: &'a str, to: &'a str },
    Note { over: &'a str },
}

fn is_id(id: &str) -> bool {
    id.starts_with(|c: char| c.is_ascii_alphabetic())
        && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !["end", "note", "loop", "participant", "as"].contains(&id)
}

fn check_text(text: &str) {
    assert!(!text.trim().is_empty(), "a line without a text");
    assert!(!text.contains(char::is_control), "{text:?}");
    let bare = text.replace("<br/>", "");
    assert!(!bare.contains(['<', '&', '%']), "{text:?}");
    assert!(!bare.split(|c: char| !c.is_alphanumeric()).any(|word| word == "end"), "{text:?}");
    // Every `#` begins an entity, and every `;` ends one.
    let pieces: Vec<&str> = bare.split('#').collect();
    assert!(!pieces[0].contains(';'), "{text:?}");
    for piece in &pieces[1..] {
        let (number, rest) = piece.split_once(';').unwrap_or_else(|| panic!("no entity in {text:?}"));
        number.parse::<u32>().unwrap_or_else(|_| panic!("no entity in {text:?}"));
        assert!(!rest.contains(';'), "{text:?}");
    }
}

/// Parses a diagram, which must match the grammar.
fn read(diagram: &str) -> Vec<Line<'_>> {
    let lines = diagram.strip_prefix("sequenceDiagram\n").expect("a diagram says what it is");
    assert!(lines.ends_with('\n'));
    lines
        .lines()
        .map(|line| {
            let line = line.strip_prefix("    ").unwrap_or_else(|| panic!("not indented: {line:?}"));
            if let Some(participant) = line.strip_prefix("participant ") {
                let (id, name) = participant.split_once(" as ").unwrap_or((participant, participant));
                assert!(is_id(id), "{line:?}");
                check_text(name);
                return Line::Participant { id };
            }
            let (what, text) = line.split_once(": ").unwrap_or_else(|| panic!("no text: {line:?}"));
            check_text(text);
            if let Some(over) = what.strip_prefix("Note over ") {
                assert!(is_id(over), "{line:?}");
                return Line::Note { over };
            }
            let arrow = ["-->>", "->>", "-)", "-x"].into_iter().find_map(|arrow| {
                let (from, to) = what.split_once(arrow)?;
                Some(Line::Arrow { from, line: arrow, to })
            });
            let Some(Line::Arrow { from, to, .. }) = arrow else { panic!("not a line: {line:?}") };
            assert!(is_id(from) && is_id(to), "{line:?}");
            arrow.expect("it was just there")
        })
        .collect()
}

/// Parses a diagram and checks that each participant is declared once, before its first action, and in the order of appearance.
fn read_whole(diagram: &str) -> Vec<Line<'_>> {
    let lines = read(diagram);
    let mut declared = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for line in &lines {
        match line {
            Line::Participant { id } => {
                assert!(seen.is_empty(), "'{id}' is declared late");
                declared.push(*id);
            }
            Line::Arrow { from, to, .. } => seen.extend([from, to]),
            Line::Note { over } => seen.push(over),
        }
    }
    assert_eq!(declared.iter().collect::<BTreeSet<_>>(), seen.iter().collect::<BTreeSet<_>>());
    assert_eq!(
        declared.len(),
        declared.iter().collect::<BTreeSet<_>>().len(),
        "declared twice: {declared:?}"
    );
    lines
}

fn arrivals(finished: &Finished) -> usize {
    let events = finished.trace.events().iter();
    events
        .filter(|event| matches!(event.what, What::Delivered { redelivered } if !redelivered || event.delivery == 1))
        .count()
}

#[test]
fn a_run_with_faults_is_a_diagram_by_the_grammar() {
    for finished in [troubled(), storm(), busy(), hostile(), isolated(), stubborn()] {
        let diagram = finished.picture().mermaid();
        let lines = read_whole(&diagram);
        let arrived = lines.iter().filter(|line| matches!(line, Line::Arrow { line, .. } if *line != "-x"));
        assert_eq!(arrived.count(), arrivals(&finished), "{diagram}");
        assert!(!diagram.contains("amq.gen"), "a random name: {diagram}");
    }
}

#[test]
fn a_chain_is_short_enough_to_read() {
    let finished = troubled();
    let chain = finished.trace.messages()[0].correlation_id();
    assert_eq!(
        Picture::of(&finished.trace).chain(&chain).mermaid(),
        "sequenceDiagram
    participant web
    participant orders
    participant billing_1 as billing/1
    participant audit
    web->>orders: m1 orders.create
    orders->>billing_1: m2 billing.charge
    billing_1-->>orders: m3 reply billing.charge
    orders-)audit: m4 event orders.create
    orders-->>web: m5 reply orders.create
"
    );
}

#[test]
fn what_went_wrong_is_told_where_it_happened() {
    let finished = troubled();
    let diagram = finished.picture().mermaid();
    for line in [
        "    Note over billing_2: m7 fault crash(250ms) at ack\n    Note over billing_2: crashed\n    Note over billing_2: m7 ack lost\n",
        "    Note over billing_1: c2 m7 billing.charge, redelivered\n",
        "    Note over billing_2: restarted\n",
        "    Note over web: c3 m12 orders.create, confirm lost\n",
        "    Note over broker: effect charged = 3\n",
        "    orders-xbroker: c3 m16 reply orders.create, unroutable\n",
    ] {
        assert!(diagram.contains(line), "{line} is not in\n{diagram}");
    }
}

#[test]
fn the_same_run_gives_the_same_text() {
    assert_eq!(troubled().picture().mermaid(), troubled().picture().mermaid());
}

#[test]
#[should_panic(expected = "no message of the run has the correlation id 'nobody'")]
fn a_chain_that_is_not_there_is_named() {
    let finished = storm();
    let _ = finished.picture().chain("nobody");
}

#[test]
fn a_run_and_its_chains_draw_themselves_before_the_end() {
    let finished = Setup::new(1).run(async |sim: Sim| -> Result<(), Failure> {
        let graph = graph(&sim).await;
        order(&graph, 1).await?;
        order(&graph, 2).await?;
        let run = graph.settle().await;
        let chains = run.chains();
        assert_eq!(chains.len(), 2);
        assert_eq!(run.mermaid(), Picture::of(run.trace()).mermaid());
        let second = chains[1].mermaid();
        assert!(second.contains("web->>orders: m1 orders.create\n"), "{second}");
        assert_eq!(second, Picture::of(run.trace()).chain(chains[1].id()).mermaid());
        Ok(())
    });
    assert_eq!(finished.verdict, Verdict::Passed);
}

#[test]
fn a_retry_is_told_with_the_queue_where_it_waits() {
    let diagram = stubborn().picture().mermaid();
    for line in [
        "    Note over printer: m4 failed: no.Paper (1000): the printer is out of paper\n",
        "    broker-)printer: m7 event orders.create, was m6\n",
        "    broker-)printer: m9 event orders.create, was m8\n",
    ] {
        assert!(diagram.contains(line), "{line} is not in\n{diagram}");
    }
    assert!(diagram.contains("    Note over printer: m6 event orders.create, kept in printer"), "{diagram}");
}
