//! [`Layout`]: where everything in a picture stands, in pixels.
//!
//! Time goes downward, a row for each thing that happened; a lane for each actor. Each row has at most one arrow's label, and marks
//! share one only where their labels have room beside each other, so that no two texts overlap.

mod bars;
mod lanes;
mod lines;
mod rows;
mod walk;

use std::time::Duration;

use super::story::{Story, Tone};
use crate::trace::MessageId;

pub(super) use lanes::Lane;

/// How wide a character of a label is, in tenths of a pixel: those of ASCII, and all others, which may be twice as wide.
const ADVANCE: (i32, i32) = (67, 134);
/// How many characters of a label are shown.
const LONGEST: usize = 56;
/// Room at the edges.
const MARGIN: i32 = 24;

/// A picture, laid out.
pub(super) struct Layout {
    pub(super) lanes: Vec<Lane>,
    pub(super) lines: Vec<Line>,
    pub(super) bars: Vec<Bar>,
    pub(super) arrows: Vec<Arrow>,
    pub(super) marks: Vec<Mark>,
    pub(super) folds: Vec<Fold>,
    /// Where which time begins.
    pub(super) times: Vec<(i32, Duration)>,
    /// The left edge.
    pub(super) left: i32,
    pub(super) width: i32,
    pub(super) height: i32,
}

/// A place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Point {
    pub(super) x: i32,
    pub(super) y: i32,
}

/// A piece of an actor's lifeline.
pub(super) struct Line {
    pub(super) x: i32,
    pub(super) from: i32,
    pub(super) to: i32,
    pub(super) state: State,
}

/// How an actor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It has a session.
    Up,
    /// It has none.
    Off,
    /// Its process is dead.
    Dead,
}

/// A delivery in an actor's hands, or a handler at work.
pub(super) struct Bar {
    pub(super) message: MessageId,
    pub(super) x: i32,
    pub(super) from: i32,
    pub(super) to: i32,
    pub(super) kind: BarKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BarKind {
    /// The delivery is not settled yet.
    Held,
    /// The handler works, and ends well.
    Work,
    /// The handler works, and ends badly.
    Broken,
}

/// A message on its way.
pub(super) struct Arrow {
    pub(super) message: MessageId,
    /// The place in the story of the event that it ends with.
    pub(super) event: usize,
    pub(super) from: Point,
    pub(super) to: Point,
    pub(super) fate: Fate,
    pub(super) labels: Vec<Label>,
}

/// What becomes of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fate {
    /// It arrives.
    Arrived,
    /// It arrives, and was handed out before.
    Again,
    /// It went nowhere, for this reason.
    Failed,
    /// It lies in a queue.
    Kept,
}

/// Something that happened to an actor.
pub(super) struct Mark {
    /// The place of the event in the story.
    pub(super) event: usize,
    pub(super) at: Point,
    pub(super) tone: Tone,
    pub(super) label: Label,
}

/// A text.
#[derive(Debug, Clone)]
pub(super) struct Label {
    /// Its left end, on its base line.
    pub(super) at: Point,
    pub(super) text: String,
    pub(super) width: i32,
    /// It tells of something that went wrong.
    pub(super) is_bad: bool,
}

/// Much time in a little room.
pub(super) struct Fold {
    pub(super) from: i32,
    pub(super) to: i32,
    pub(super) time: Duration,
}

impl Label {
    /// A text whose left end is at a place.
    fn from(at: Point, text: &str) -> Self {
        let text = shortened(text);
        Self { at, width: width_of(&text), text, is_bad: false }
    }

    /// A text whose right end is at a place.
    fn until(at: Point, text: &str) -> Self {
        let label = Self::from(at, text);
        Self { at: Point { x: at.x - label.width, y: at.y }, ..label }
    }
}

impl Layout {
    /// Lays a story out.
    pub(super) fn of(story: &Story<'_>) -> Self {
        let lanes = lanes::of(story);
        let mut layout = walk::walk(story, lanes);
        layout.frame();
        layout
    }

    /// Finds the edges: wide enough for everything.
    fn frame(&mut self) {
        let lanes = self.lanes.iter().map(|lane| (lane.x - lane.width / 2, lane.x + lane.width / 2));
        let marks = self.marks.iter().map(|mark| (mark.at.x - 8, mark.at.x + 8));
        let arrows = self.arrows.iter().flat_map(|arrow| {
            let (from, to) = (arrow.from.x, arrow.to.x);
            [(from.min(to) - 8, from.max(to) + 8), (from, from + if from == to { lines::LOOP } else { 0 })]
        });
        let bars = self.bars.iter().map(|bar| (bar.x, bar.x + bars::WIDE));
        let labels = self
            .arrows
            .iter()
            .flat_map(|arrow| &arrow.labels)
            .chain(self.marks.iter().map(|mark| &mark.label));
        let labels = labels.map(|label| (label.at.x, label.at.x + label.width));
        let (left, right) = lanes
            .chain(marks)
            .chain(arrows)
            .chain(bars)
            .chain(labels)
            .fold((0, 0), |(left, right), (from, to)| (left.min(from), right.max(to)));
        self.left = left - MARGIN;
        self.width = right + MARGIN - self.left;
    }
}

/// How wide a text of the labels' font is, rather too much than too little.
pub(super) fn width_of(text: &str) -> i32 {
    let tenths: i32 = text.chars().map(|c| if c.is_ascii() { ADVANCE.0 } else { ADVANCE.1 }).sum();
    tenths / 10 + 1
}

/// A text that fits into a label.
fn shortened(text: &str) -> String {
    let line = |text: &str| text.replace(char::is_control, " ");
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => line(&text[..end]) + "…",
        None => line(text),
    }
}
