//! [`page`]: a story as one HTML file without scripts or external resources. It is also well-formed XML.

mod drawing;
mod json;
mod markup;
mod table;

use std::fmt::Write;

use super::layout::Layout;
use super::story::{Story, Tone, is_bad};
use crate::picture::Picture;
use crate::sim::Verdict;
use crate::trace::{Event, MessageId, What};
use markup::Markup;

/// Colours of chains, as hue angles; none is near the red of faults. Consecutive colours are far apart.
const HUES: [u32; 8] = [255, 150, 310, 85, 200, 340, 125, 280];

/// Writes a page.
pub(super) fn page(picture: &Picture<'_>, story: &Story<'_>) -> String {
    let mut page = Markup::default();
    page.raw("<!DOCTYPE html>\n");
    page.open("html", &[("xmlns", &"http://www.w3.org/1999/xhtml"), ("lang", &"en")]);
    page.open("head", &[]);
    page.empty("meta", &[("charset", &"utf-8")]);
    page.empty("meta", &[("name", &"viewport"), ("content", &"width=device-width, initial-scale=1")]);
    page.empty("meta", &[("name", &"color-scheme"), ("content", &"light dark")]);
    page.leaf("title", &[], picture.name);
    page.open("style", &[]);
    page.raw(include_str!("style.css"));
    page.raw(&colours(story));
    page.close();
    page.close();
    page.open("body", &[]);
    head(&mut page, picture, story);
    chains(&mut page, story);
    page.open("main", &[]);
    drawing::board(&mut page, story, &Layout::of(story));
    page.close();
    page.raw(include_str!("legend.html"));
    table::events(&mut page, story);
    page.close();
    page.close();
    page.raw("\n");
    page.finish()
}

/// Writes the title.
fn head(page: &mut Markup, picture: &Picture<'_>, story: &Story<'_>) {
    page.open("header", &[]);
    page.open("h1", &[]);
    page.text(picture.name);
    match picture.verdict {
        Some(Verdict::Passed) => page.leaf("span", &[("class", &"verdict passed")], "passed"),
        Some(Verdict::Failed(_)) => page.leaf("span", &[("class", &"verdict failed")], "failed"),
        None => {}
    }
    page.close();
    if let Some(Verdict::Failed(problem)) = picture.verdict {
        page.leaf("pre", &[("class", &"problem")], &problem.to_string());
    }
    page.open("dl", &[("class", &"facts")]);
    let mut fact = |name: &str, value: String| {
        page.open("div", &[]);
        page.leaf("dt", &[], name);
        page.leaf("dd", &[], &value);
        page.close();
    };
    if let Some(seed) = picture.seed {
        fact("seed", seed.to_string());
    }
    if let Some(chain) = picture.chain {
        fact("chain", chain.to_owned());
    }
    let count = |is: &dyn Fn(&Event) -> bool| story.events.iter().filter(|event| is(event)).count();
    fact("deliveries", count(&|event| matches!(event.what, What::Delivered { .. })).to_string());
    fact(
        "redelivered",
        count(&|event| matches!(event.what, What::Delivered { redelivered: true })).to_string(),
    );
    fact("faults", count(&|event| matches!(event.what, What::Fault(_))).to_string());
    if let (Some(first), Some(last)) = (story.events.first(), story.events.last()) {
        // A run that hangs fails long after its last event.
        let end = match picture.verdict {
            Some(Verdict::Failed(problem)) if picture.chain.is_none() => last.at.max(problem.at),
            _ => last.at,
        };
        fact("virtual time", drawing::time(end.saturating_sub(first.at)));
    }
    page.close();
    if let Some(replay) = picture.replay {
        page.open("p", &[("class", &"replay")]);
        page.text("again with ");
        page.leaf("code", &[], replay);
        page.close();
    }
    page.close();
}

/// Writes buttons that show one chain alone, if there are several.
fn chains(page: &mut Markup, story: &Story<'_>) {
    if story.chains.len() < 2 {
        return;
    }
    page.open("fieldset", &[("class", &"chains")]);
    page.leaf("legend", &[], "Chains");
    for (number, chain) in std::iter::once("all").chain(story.chains.iter().map(String::as_str)).enumerate() {
        let id = format!("chain{number}");
        page.open("label", &[("class", &if number == 0 { "all".to_owned() } else { format!("k{number}") })]);
        let checked: &[(&'static str, &dyn std::fmt::Display)] =
            if number == 0 { &[("checked", &"checked")] } else { &[] };
        let input: Vec<(&'static str, &dyn std::fmt::Display)> =
            [("type", &"radio" as &dyn std::fmt::Display), ("name", &"chain"), ("id", &id)]
                .into_iter()
                .chain(checked.iter().copied())
                .collect();
        page.empty("input", &input);
        page.leaf("span", &[], chain);
        page.close();
    }
    page.close();
}

/// Returns the style rules for the colour of each chain, and for what is visible when it is chosen.
fn colours(story: &Story<'_>) -> String {
    let mut rules = String::new();
    for (at, hue) in (0..story.chains.len()).zip(HUES.into_iter().cycle()) {
        let number = at + 1;
        write!(
            rules,
            ".k{number} {{ --hue: {hue} }}\n\
             body:has(#chain{number}:checked) .k:not(.k{number}) {{ opacity: 0.1 }}\n\
             body:has(#chain{number}:checked) tr.k:not(.k{number}) {{ display: none }}\n"
        )
        .expect("a string takes everything");
    }
    rules
}

/// Returns the class of an element, with the chain that it belongs to.
fn classes(story: &Story<'_>, class: &str, message: Option<MessageId>) -> String {
    match message.and_then(|message| story.chain(message)) {
        Some(chain) => format!("{class} k k{}", chain + 1).trim_start().to_owned(),
        None => class.to_owned(),
    }
}

/// Returns whether an event is a failure.
fn tells_bad(story: &Story<'_>, event: &Event) -> bool {
    match &event.what {
        What::Published(outcome) => is_bad(outcome),
        _ => story.tone(event) == Some(Tone::Bad),
    }
}
