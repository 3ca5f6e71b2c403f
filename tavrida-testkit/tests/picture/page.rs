//! Pages, parsed as XML: their content and its positions.

mod geometry;

use std::time::Duration;

use roxmltree::{Document, Node, ParsingOptions};
use tavrida_testkit::picture::Picture;
use tavrida_testkit::sim::{Finished, Setup, Sim, Verdict};
use tavrida_testkit::trace::{Event, Outcome, What};

use crate::scenarios::{HOSTILE, busy, hostile, isolated, storm, stubborn, troubled};

fn runs() -> [(&'static str, Finished); 6] {
    [
        ("troubled", troubled()),
        ("storm", storm()),
        ("busy", busy()),
        ("hostile", hostile()),
        ("isolated", isolated()),
        ("stubborn", stubborn()),
    ]
}

/// Parses a page, which must be well-formed.
fn read(page: &str) -> Document<'_> {
    Document::parse_with_options(page, ParsingOptions { allow_dtd: true, ..Default::default() })
        .unwrap_or_else(|error| panic!("not well-formed: {error}"))
}

fn has(node: Node<'_, '_>, class: &str) -> bool {
    node.attribute("class").is_some_and(|classes| classes.split(' ').any(|one| one == class))
}

/// Returns the elements of a class in a page's drawing of that class.
fn drawn<'a>(page: &'a Document<'a>, drawing: &'a str, class: &'a str) -> impl Iterator<Item = Node<'a, 'a>> {
    let is_drawing = move |node: &Node<'_, '_>| {
        node.has_tag_name(("http://www.w3.org/2000/svg", "svg")) && has(*node, drawing)
    };
    let drawing = page.descendants().find(is_drawing).unwrap_or_else(|| panic!("no drawing '{drawing}'"));
    drawing.descendants().filter(move |node| has(*node, class))
}

/// Returns the number of the event that an element links to.
fn event_of(node: Node<'_, '_>) -> usize {
    let link = node.descendants().find_map(|node| node.attribute("href")).expect("a sign leads to its event");
    link.strip_prefix("#e")
        .and_then(|number| number.parse().ok())
        .unwrap_or_else(|| panic!("'{link}' is no event"))
}

/// Returns the numbers of the events that satisfy a predicate.
fn events_with(finished: &Finished, is: impl Fn(&Event) -> bool) -> Vec<usize> {
    let numbered = finished.trace.events().iter().enumerate();
    numbered.filter(|(_, event)| is(event)).map(|(at, _)| at + 1).collect()
}

fn signs(page: &Document<'_>, class: &str) -> Vec<usize> {
    drawn(page, "picture", class).map(event_of).collect()
}

#[test]
fn each_delivery_has_its_arrow() {
    for (name, finished) in runs() {
        let page = finished.picture().page();
        let page = read(&page);
        let delivered = events_with(&finished, |event| matches!(event.what, What::Delivered { .. }));
        assert!(!delivered.is_empty());
        assert_eq!(signs(&page, "arrived"), delivered, "{name}");
        let again =
            events_with(&finished, |event| matches!(event.what, What::Delivered { redelivered: true }));
        assert_eq!(signs(&page, "again"), again, "{name}");
    }
}

#[test]
fn each_message_that_got_nowhere_has_a_cross() {
    for (name, finished) in runs() {
        let page = finished.picture().page();
        let lost = events_with(&finished, |event| match &event.what {
            What::Published(outcome) => !outcome.is_taken() && *outcome != Outcome::Held,
            _ => false,
        });
        assert_eq!(signs(&read(&page), "failed"), lost, "{name}");
    }
}

#[test]
fn each_fault_has_a_red_mark() {
    let mut faults = 0;
    for (name, finished) in runs() {
        let page = finished.picture().page();
        let page = read(&page);
        let red: Vec<usize> =
            drawn(&page, "picture", "mark").filter(|mark| has(*mark, "bad")).map(event_of).collect();
        for fault in events_with(&finished, |event| {
            matches!(event.what, What::Fault(_) | What::Crashed | What::AckLost)
        }) {
            assert!(red.contains(&fault), "{name}: no red mark for event {fault}");
            faults += 1;
        }
    }
    assert!(faults > 10, "there are only {faults} faults to look at");
}

#[test]
fn long_gaps_are_folded_and_labelled() {
    for (name, finished) in runs() {
        let page = finished.picture().page();
        let page = read(&page);
        let times = finished.trace.events().iter().map(|event| event.at);
        let gaps: Vec<String> = times
            .clone()
            .zip(times.skip(1))
            .filter(|(before, at)| *at - *before >= Duration::from_millis(100))
            .map(|(before, at)| format!("+{:?}", at - before))
            .collect();
        let told: Vec<&str> = drawn(&page, "gutter", "gap").filter_map(|gap| gap.text()).collect();
        assert_eq!(told, gaps, "{name}");
        assert_eq!(drawn(&page, "picture", "fold").count(), gaps.len(), "{name}");
        let bands: i32 = drawn(&page, "picture", "band")
            .map(|band| {
                band.attribute("height").and_then(|height| height.parse::<i32>().ok()).expect("a height")
            })
            .sum();
        assert!(
            bands <= 40 * i32::try_from(gaps.len()).expect("few gaps"),
            "{name}: {bands} pixels of folds"
        );
    }
}

#[test]
fn each_actor_has_a_lane_and_replicas_have_their_own() {
    let finished = troubled();
    let page = finished.picture().page();
    let page = read(&page);
    let names: Vec<&str> = drawn(&page, "heads", "name").filter_map(|name| name.text()).collect();
    assert_eq!(names, ["broker", "web", "orders", "billing/1", "billing/2", "audit"]);
    for (at, name) in drawn(&page, "heads", "name").enumerate() {
        let x = name.attribute("x").expect("a head has a place");
        let lines = drawn(&page, "picture", "life").filter(|line| line.attribute("x1") == Some(x));
        assert!(lines.count() > 0, "no lifeline under {}", names[at]);
    }
}

#[test]
fn hostile_names_are_text_and_nothing_else() {
    let finished = hostile();
    let page = finished.picture().named(HOSTILE).replay(HOSTILE).verdict(&finished.verdict).page();
    let page = read(&page);
    let mut tags: Vec<&str> =
        page.descendants().filter(Node::is_element).map(|node| node.tag_name().name()).collect();
    tags.sort_unstable();
    tags.dedup();
    for tag in ["script", "b"] {
        assert!(!tags.contains(&tag), "{tags:?}");
    }
    assert!(page.descendants().all(|node| !node.is_comment() && !node.is_pi()));
    // Characters that XML cannot represent are shown as a replacement character.
    let shown = HOSTILE.replace('\0', "\u{fffd}");
    let texts: Vec<&str> = page.descendants().filter(Node::is_text).filter_map(|node| node.text()).collect();
    for whole in [
        shown.clone(),
        format!("note: {shown}"),
        format!("effect {shown} = {shown}"),
        "<b>&\"participant\"--x;end</b>".to_owned(),
    ] {
        assert!(texts.contains(&whole.as_str()), "{whole:?} is not on the page");
    }
}

#[test]
fn a_page_needs_nothing_from_elsewhere() {
    for (name, finished) in runs() {
        let page = finished.picture().page();
        let page = read(&page);
        for node in page.descendants().filter(Node::is_element) {
            assert!(
                !["script", "link", "img", "iframe", "object"].contains(&node.tag_name().name()),
                "{name}"
            );
            for attribute in node.attributes() {
                assert!(
                    !attribute.name().starts_with("on") && attribute.name() != "src",
                    "{name}: {attribute:?}"
                );
                let is_inside = attribute.name() != "href" || attribute.value().starts_with('#');
                assert!(is_inside, "{name}: {attribute:?}");
            }
        }
        let style = page.descendants().find(|node| node.has_tag_name("style")).and_then(|style| style.text());
        let style = style.expect("a page has a style");
        assert!(!style.contains("url(") && !style.contains("@import"));
    }
}

#[test]
fn every_link_leads_somewhere() {
    for (name, finished) in runs() {
        let page = finished.picture().page();
        let page = read(&page);
        let mut places: Vec<&str> = page.descendants().filter_map(|node| node.attribute("id")).collect();
        let all = places.len();
        places.sort_unstable();
        places.dedup();
        assert_eq!(places.len(), all, "{name}: an id is there twice");
        for link in page.descendants().filter_map(|node| node.attribute("href")) {
            assert!(places.binary_search(&&link[1..]).is_ok(), "{name}: {link} leads nowhere");
        }
    }
}

#[test]
fn the_table_has_all_events_and_the_bodies() {
    let finished = troubled();
    let page = finished.picture().page();
    let page = read(&page);
    let rows = page.descendants().filter(|node| node.has_tag_name("tr") && node.attribute("id").is_some());
    assert_eq!(rows.count(), finished.trace.events().len());
    let bodies: Vec<&str> = page
        .descendants()
        .filter(|node| node.has_tag_name("details"))
        .filter_map(|message| message.descendants().find(|node| node.has_tag_name("pre"))?.text())
        .collect();
    assert_eq!(bodies.len(), finished.trace.messages().len());
    assert_eq!(bodies[0], "{\n  \"payload\": {\n    \"cents\": 1\n  },\n  \"context\": {}\n}");
}

#[test]
fn each_chain_has_a_colour_and_can_be_looked_at_alone() {
    let finished = storm();
    let page = finished.picture().page();
    let page = read(&page);
    let choices: Vec<&str> = page
        .descendants()
        .filter(|node| node.has_tag_name("input"))
        .filter_map(|input| input.attribute("id"))
        .collect();
    assert_eq!(choices, ["chain0", "chain1", "chain2", "chain3"]);
    let style = page.descendants().find(|node| node.has_tag_name("style")).and_then(|style| style.text());
    for chain in 1..=3 {
        let rule = format!("body:has(#chain{chain}:checked) .k:not(.k{chain})");
        assert!(style.is_some_and(|style| style.contains(&rule)), "{rule}");
        assert!(drawn(&page, "picture", &format!("k{chain}")).any(|node| has(node, "arrow")));
    }
    let first = finished.trace.messages()[0].correlation_id();
    let alone = finished.picture().chain(&first).page();
    let alone = read(&alone);
    assert!(drawn(&alone, "picture", "arrow").all(|arrow| has(arrow, "k1")));
    assert!(!alone.descendants().any(|node| node.has_tag_name("input")), "one chain needs no choice");
}

#[test]
fn the_title_says_how_the_run_ended_and_how_to_make_it_again() {
    let failed = Setup::new(3).run(async |sim: Sim| -> Result<(), String> {
        sim.note("so far so good");
        Err("the till is empty".to_owned())
    });
    assert!(matches!(failed.verdict, Verdict::Failed(_)));
    let page = failed.picture().named("A till").seed(3).replay("SEED=3").page();
    let page = read(&page);
    let text = |tag: &str, class: &str| {
        let node =
            page.descendants().find(|node| node.has_tag_name(tag) && (class.is_empty() || has(*node, class)));
        node.and_then(|node| node.text())
    };
    assert_eq!(text("title", ""), Some("A till"));
    assert_eq!(text("span", "verdict"), Some("failed"));
    assert_eq!(text("pre", "problem"), Some("the scenario failed at 0ns: \"the till is empty\""));
    assert_eq!(text("code", ""), Some("SEED=3"));
}

#[test]
fn a_run_in_which_nothing_happened_is_a_page_too() {
    let nothing = Setup::new(3).run(async |_: Sim| {});
    read(&nothing.picture().page());
    assert_eq!(nothing.picture().mermaid(), "sequenceDiagram\n");
}

#[test]
fn the_same_run_gives_the_same_bytes() {
    for (one, other) in runs().into_iter().zip(runs()) {
        assert!(one.1.picture().page() == other.1.picture().page(), "{} differs", one.0);
    }
}

#[test]
fn a_page_is_written_to_a_file() {
    let finished = storm();
    let folder = tempfile::tempdir().expect("a folder for a while");
    let file = folder.path().join("run.html");
    let picture = Picture::of(&finished.trace).named("A storm");
    picture.write_to(&file).expect("the folder takes files");
    assert_eq!(std::fs::read_to_string(&file).expect("it was just written"), picture.page());
    assert!(picture.write_to(folder.path().join("nowhere/run.html")).is_err());
}

#[test]
fn a_run_that_hangs_shows_how_long_it_did_and_what_waits_in_the_prefetch() {
    let finished = Setup { horizon: Duration::from_secs(5), ..Setup::new(1) }.run(async |sim: Sim| {
        let slow = || tavrida::Service::new("slow").rpc("work", async || tokio::time::sleep(LONG).await);
        let graph = sim.graph().service(slow).configure("slow", |server| server.concurrency(1));
        let graph = graph.client("web").start().await;
        for _ in 0..2 {
            graph.client("web").to("slow.work").cast().await.expect("it is sent");
        }
        tokio::time::sleep(LONG).await;
    });
    let page = finished.picture().page();
    assert!(page.contains("<dt>virtual time</dt><dd>5s</dd>"), "{page}");
    let held = page.matches("class=\"bar held k").count();
    assert_eq!(held, 2, "one is worked on, and one waits:\n{page}");
}

const LONG: Duration = Duration::from_secs(60);
