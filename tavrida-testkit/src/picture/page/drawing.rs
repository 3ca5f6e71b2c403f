//! [`board`]: a layout as SVG.
//!
//! The names of the actors and the times are separate drawings, so that they stay visible when the picture is scrolled.

use std::time::Duration;

use tavrida::message::MessageKind;

use super::classes;
use super::markup::Markup;
use crate::picture::layout::{
    Arrow, BarKind, Lane, Layout, Mark, MessageOutcome, Position, State, TextLabel, width_of,
};
use crate::picture::story::{Story, Tone};
use crate::trace::{ActorKind, MessageId};

/// The height of the heads of the lanes.
const HEAD: i32 = 58;
/// The minimum width of the column of times.
const GUTTER: i32 = 84;
/// Longer arrows are faint, because they cross others.
const FAR: i32 = 300;
/// The length of an arrow's head.
const POINT: f64 = 9.0;

/// Draws a layout.
pub(super) fn board(page: &mut Markup, story: &Story<'_>, layout: &Layout) {
    page.open("div", &[("class", &"board")]);
    page.leaf("div", &[("class", &"corner")], "virtual time");
    heads(page, layout);
    gutter(page, layout);
    picture(page, story, layout);
    page.close();
}

fn svg(page: &mut Markup, class: &str, left: i32, width: i32, height: i32, name: &str) {
    let view = format!("{left} 0 {width} {height}");
    page.open(
        "svg",
        &[
            ("xmlns", &"http://www.w3.org/2000/svg"),
            ("class", &class),
            ("viewBox", &view),
            ("width", &width),
            ("height", &height),
            ("role", &"group"),
            ("aria-label", &name),
        ],
    );
}

fn heads(page: &mut Markup, layout: &Layout) {
    svg(page, "heads", layout.left, layout.width, HEAD, "who takes part");
    for Lane { name, kind, role, x, width, .. } in &layout.lanes {
        let class = match kind {
            ActorKind::Service => "head",
            ActorKind::Client => "head client",
            ActorKind::Stub | ActorKind::Simulation => "head absent",
        };
        page.open("g", &[("class", &class)]);
        let left = x - width / 2;
        page.empty("rect", &[("x", &left), ("y", &8), ("width", &width), ("height", &40), ("rx", &7)]);
        page.leaf("text", &[("x", x), ("y", &26), ("class", &"name")], name);
        page.leaf("text", &[("x", x), ("y", &40), ("class", &"role")], role);
        page.close();
        page.empty("line", &[("class", &"life"), ("x1", x), ("x2", x), ("y1", &48), ("y2", &HEAD)]);
    }
    page.close();
}

fn gutter(page: &mut Markup, layout: &Layout) {
    let times = layout.times.iter().map(|(_, at)| *at).chain(layout.folds.iter().map(|fold| fold.time));
    let widest = times.map(|at| width_of(&time(at))).max().unwrap_or_default();
    let width = GUTTER.max(widest + 32);
    svg(page, "gutter", 0, width, layout.height, "virtual time");
    let right = width - 12;
    for (y, at) in &layout.times {
        page.leaf("text", &[("class", &"time"), ("x", &right), ("y", &(y + 4))], &time(*at));
        page.empty("line", &[("class", &"tick"), ("x1", &(width - 7)), ("x2", &width), ("y1", y), ("y2", y)]);
    }
    for fold in &layout.folds {
        let text = format!("+{}", time(fold.time));
        band(page, fold.from, fold.to, 0, width);
        page.leaf(
            "text",
            &[("class", &"gap"), ("x", &right), ("y", &(fold.from.midpoint(fold.to) + 4))],
            &text,
        );
    }
    page.close();
}

fn picture(page: &mut Markup, story: &Story<'_>, layout: &Layout) {
    svg(page, "picture", layout.left, layout.width, layout.height, "what happened");
    for line in &layout.lines {
        let class = match line.state {
            State::Up => "life",
            State::Off => "life off",
            State::Dead => "life dead",
        };
        page.empty(
            "line",
            &[("class", &class), ("x1", &line.x), ("x2", &line.x), ("y1", &line.from), ("y2", &line.to)],
        );
    }
    for fold in &layout.folds {
        page.open("g", &[("class", &"fold")]);
        page.leaf("title", &[], &format!("nothing happens for {}", time(fold.time)));
        band(page, fold.from, fold.to, layout.left, layout.width);
        page.close();
    }
    for bar in &layout.bars {
        let class = match bar.kind {
            BarKind::Held => "bar held",
            BarKind::Work => "bar work",
            BarKind::Broken => "bar broken",
        };
        let class = classes(story, class, Some(bar.message));
        let height = bar.to - bar.from;
        page.empty(
            "rect",
            &[
                ("class", &class),
                ("x", &bar.x),
                ("y", &bar.from),
                ("width", &8),
                ("height", &height),
                ("rx", &3),
            ],
        );
    }
    layout.arrows.iter().for_each(|arrow| self::arrow(page, story, arrow));
    layout.marks.iter().for_each(|mark| self::mark(page, story, mark));
    // On top, so that nothing crosses them.
    for arrow in &layout.arrows {
        arrow
            .labels
            .iter()
            .for_each(|label| self::label(page, &classes(story, "", Some(arrow.message)), label));
    }
    page.close();
}

/// Draws the band of a fold: time passes between two wavy lines.
fn band(page: &mut Markup, from: i32, to: i32, left: i32, width: i32) {
    page.empty(
        "rect",
        &[
            ("class", &"band"),
            ("x", &left),
            ("y", &(from + 6)),
            ("width", &width),
            ("height", &(to - from - 12)),
        ],
    );
}

fn arrow(page: &mut Markup, story: &Story<'_>, arrow: &Arrow) {
    let far = if arrow.to.y - arrow.from.y > FAR { " far" } else { "" };
    let class = format!("arrow {} {}{far}", kind(story, arrow.message), fate(&arrow.fate));
    page.open("g", &[("class", &classes(story, &class, Some(arrow.message)))]);
    page.leaf("title", &[], &told(story, arrow.event));
    page.open("a", &[("href", &format!("#e{}", arrow.event + 1))]);
    let (Position { x: x1, y: y1 }, Position { x: x2, y: y2 }) = (arrow.from, arrow.to);
    // To itself: out to the right, down, and back.
    let is_loop =
        (x2 - x1).abs() < 20 && arrow.fate != MessageOutcome::Failed && arrow.fate != MessageOutcome::Kept;
    let path = match is_loop {
        true => format!("M{x1} {y1} h34 V{y2} H{x2}"),
        false => format!("M{x1} {y1} L{x2} {y2}"),
    };
    page.empty("path", &[("class", &"hit"), ("d", &path)]);
    page.empty("path", &[("class", &"line"), ("d", &path)]);
    let from = if is_loop { Position { x: x2 + 30, y: y2 } } else { arrow.from };
    if story.trace.message(arrow.message).kind() == Some(MessageKind::Notification) {
        page.empty("circle", &[("class", &"dot"), ("cx", &x1), ("cy", &y1), ("r", &3)]);
    }
    match arrow.fate {
        MessageOutcome::Arrived | MessageOutcome::Again => {
            page.empty("path", &[("class", &"point"), ("d", &point(from, arrow.to))])
        }
        MessageOutcome::Failed => cross(page, arrow.to),
        MessageOutcome::Kept => {
            page.empty("circle", &[("class", &"kept"), ("cx", &x2), ("cy", &y2), ("r", &4)])
        }
    }
    page.close();
    page.close();
}

/// Returns the triangle at the end of an arrow.
fn point(from: Position, to: Position) -> String {
    let (dx, dy) = (f64::from(to.x - from.x), f64::from(to.y - from.y));
    let length = (dx * dx + dy * dy).sqrt().max(1.0);
    let (ux, uy) = (dx / length * POINT, dy / length * POINT);
    let (x, y) = (f64::from(to.x), f64::from(to.y));
    let (left, right) = ((x - ux - uy * 0.45, y - uy + ux * 0.45), (x - ux + uy * 0.45, y - uy - ux * 0.45));
    format!("M{:.1} {:.1} L{x} {y} L{:.1} {:.1}", left.0, left.1, right.0, right.1)
}

fn cross(page: &mut Markup, Position { x, y }: Position) {
    let path = format!("M{} {} l10 10 m-10 0 l10 -10", x - 5, y - 5);
    page.empty("path", &[("class", &"cross"), ("d", &path)]);
}

fn mark(page: &mut Markup, story: &Story<'_>, mark: &Mark) {
    let tone = match mark.tone {
        Tone::Bad => "mark bad",
        Tone::Plain => "mark plain",
        Tone::Effect => "mark effect",
        Tone::Note => "mark note",
    };
    page.open("g", &[("class", &classes(story, tone, story.events[mark.event].message))]);
    page.leaf("title", &[], &told(story, mark.event));
    page.open("a", &[("href", &format!("#e{}", mark.event + 1))]);
    let Position { x, y } = mark.at;
    match mark.tone {
        Tone::Bad => {
            page.empty("circle", &[("cx", &x), ("cy", &y), ("r", &6)]);
            page.empty(
                "path",
                &[("d", &format!("M{} {} l5 5 m-5 0 l5 -5", f64::from(x) - 2.5, f64::from(y) - 2.5))],
            );
        }
        Tone::Plain => page.empty("circle", &[("cx", &x), ("cy", &y), ("r", &4)]),
        Tone::Effect => page.empty("path", &[("d", &format!("M{} {y} l6 -6 l6 6 l-6 6 z", x - 6))]),
        Tone::Note => {
            page.empty(
                "rect",
                &[("x", &(x - 5)), ("y", &(y - 5)), ("width", &10), ("height", &10), ("rx", &2)],
            );
        }
    }
    page.close();
    label(page, "", &mark.label);
    page.close();
}

fn label(page: &mut Markup, class: &str, label: &TextLabel) {
    if label.text.is_empty() {
        return;
    }
    let class = format!("label {}{class}", if label.is_bad { "bad " } else { "" });
    page.leaf("text", &[("class", &class.trim_end()), ("x", &label.at.x), ("y", &label.at.y)], &label.text);
}

/// Returns the full text of an event.
fn told(story: &Story<'_>, event: usize) -> String {
    let event = story.events[event];
    let message = event.message.map_or_else(String::new, |message| format!("{}: ", story.label(message)));
    format!("{} {}: {message}{}", time(event.at), story.trace.actor(event.actor), event.what)
}

fn kind(story: &Story<'_>, message: MessageId) -> &'static str {
    match story.trace.message(message).kind() {
        Some(MessageKind::Request) => "request",
        Some(MessageKind::Response) => "reply",
        Some(MessageKind::Error) => "reply error",
        Some(MessageKind::Notification) => "event",
        None => "other",
    }
}

fn fate(fate: &MessageOutcome) -> &'static str {
    match fate {
        MessageOutcome::Arrived => "arrived",
        MessageOutcome::Again => "arrived again",
        MessageOutcome::Failed => "failed",
        MessageOutcome::Kept => "kept",
    }
}

/// Formats a time for people: `0`, `250ms`, `30.066s`, with at most microseconds.
pub(super) fn time(time: Duration) -> String {
    let time = time - Duration::from_nanos(u64::from(time.subsec_nanos() % 1000));
    if time.is_zero() { "0".to_owned() } else { format!("{time:?}") }
}
