//! [`Layout`]: the position of everything in a picture, in pixels.
//!
//! Time goes downward, with a row for each event; each actor has a lane. Each row has at most one arrow's label, and marks share a row only
//! if their labels fit beside each other, so that no two texts overlap.

mod bars;
mod lanes;
mod lines;
mod rows;
mod walk;

use std::time::Duration;

use super::story::{Story, Tone};
use crate::trace::MessageId;

pub(super) use lanes::Lane;

/// The width of a character of a label, in tenths of a pixel: for ASCII, and for all others, which may be twice as wide.
const ADVANCE: (i32, i32) = (67, 134);
/// The maximum number of characters of a label.
const LONGEST: usize = 56;
/// The margin at the edges.
const MARGIN: i32 = 24;

/// A picture, laid out.
pub(super) struct Layout {
    pub(super) lanes: Vec<Lane>,
    pub(super) lines: Vec<LifelinePiece>,
    pub(super) bars: Vec<Bar>,
    pub(super) arrows: Vec<Arrow>,
    pub(super) marks: Vec<Mark>,
    pub(super) folds: Vec<Fold>,
    /// The heights at which times begin.
    pub(super) times: Vec<(i32, Duration)>,
    /// The left edge.
    pub(super) left: i32,
    pub(super) width: i32,
    pub(super) height: i32,
}

/// A position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) x: i32,
    pub(super) y: i32,
}

/// A piece of an actor's lifeline.
pub(super) struct LifelinePiece {
    pub(super) x: i32,
    pub(super) from: i32,
    pub(super) to: i32,
    pub(super) state: State,
}

/// The state of an actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It has a session.
    Up,
    /// It has none.
    Off,
    /// Its process is dead.
    Dead,
}

/// A delivery that an actor holds, or a running handler.
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
    /// The handler runs, and succeeds.
    Work,
    /// The handler runs, and fails.
    Broken,
}

/// A message in transit.
pub(super) struct Arrow {
    pub(super) message: MessageId,
    /// The index in the story of the event that it ends with.
    pub(super) event: usize,
    pub(super) from: Position,
    pub(super) to: Position,
    pub(super) fate: MessageOutcome,
    pub(super) labels: Vec<TextLabel>,
}

/// The fate of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum MessageOutcome {
    /// It arrives.
    Arrived,
    /// It arrives as a redelivery.
    Again,
    /// It does not arrive, for this reason.
    Failed,
    /// It stays in a queue.
    Kept,
}

/// An event of an actor.
pub(super) struct Mark {
    /// The index of the event in the story.
    pub(super) event: usize,
    pub(super) at: Position,
    pub(super) tone: Tone,
    pub(super) label: TextLabel,
}

/// A text.
#[derive(Debug, Clone)]
pub(super) struct TextLabel {
    /// Its left end, on its baseline.
    pub(super) at: Position,
    pub(super) text: String,
    pub(super) width: i32,
    /// Whether it describes a failure.
    pub(super) is_bad: bool,
}

/// A long time in a small space.
pub(super) struct Fold {
    pub(super) from: i32,
    pub(super) to: i32,
    pub(super) time: Duration,
}

impl TextLabel {
    /// Returns a text whose left end is at a position.
    fn from(at: Position, text: &str) -> Self {
        let text = shortened(text);
        Self { at, width: width_of(&text), text, is_bad: false }
    }

    /// Returns a text whose right end is at a position.
    fn until(at: Position, text: &str) -> Self {
        let label = Self::from(at, text);
        Self { at: Position { x: at.x - label.width, y: at.y }, ..label }
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

    /// Computes the edges, wide enough for everything.
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

/// Returns the width of a text in the labels' font, an upper estimate.
pub(super) fn width_of(text: &str) -> i32 {
    let tenths: i32 = text.chars().map(|c| if c.is_ascii() { ADVANCE.0 } else { ADVANCE.1 }).sum();
    tenths / 10 + 1
}

/// Shortens a text so that it fits into a label.
fn shortened(text: &str) -> String {
    let line = |text: &str| text.replace(char::is_control, " ");
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => line(&text[..end]) + "…",
        None => line(text),
    }
}
