//! [`walk`]: positions each event of a story.

use std::collections::BTreeMap;

use tavrida::message::MessageKind;

use super::bars::Bars;
use super::lines::Lines;
use super::rows::Rows;
use super::{Arrow, Lane, Layout, Mark, MessageOutcome, Position, TextLabel};
use crate::picture::story::{Story, Tone, is_bad, reaches};
use crate::trace::{ActorId, Event, MessageId, Outcome, What};

/// The length of an arrow that reaches no one.
const STUB: i32 = 46;
/// An arrow over a greater height also names its message at its end.
const FAR: i32 = 60;
/// The distance between a line and a text beside or above it.
const BESIDE: i32 = 12;
const OVER: i32 = 6;

/// Lays out the events of a story in lanes.
pub(super) fn walk(story: &Story<'_>, lanes: Vec<Lane>) -> Layout {
    let x: BTreeMap<ActorId, i32> = lanes.iter().map(|lane| (lane.actor, lane.x)).collect();
    let mut heard: Vec<Option<ActorId>> = vec![None; story.trace.messages().len()];
    for event in &story.events {
        if let (What::Delivered { .. }, Some(message)) = (&event.what, event.message) {
            heard[message.index()].get_or_insert(event.actor);
        }
    }
    let mut walk = Walk {
        story,
        lines: Lines::new(story, x.clone()),
        x,
        bars: Bars::new(story),
        rows: Rows::default(),
        sent: vec![None; heard.len()],
        heard,
        latest: None,
        arrows: Vec::new(),
        marks: Vec::new(),
    };
    for (at, event) in story.events.iter().enumerate() {
        walk.event(at, event);
    }
    let end = walk.rows.end();
    Layout {
        lanes,
        lines: walk.lines.finish(end),
        bars: walk.bars.finish(end),
        arrows: walk.arrows,
        marks: walk.marks,
        folds: walk.rows.folds,
        times: walk.rows.times,
        left: 0,
        width: 0,
        height: end,
    }
}

struct Walk<'a> {
    story: &'a Story<'a>,
    x: BTreeMap<ActorId, i32>,
    /// The first receiver of a message.
    heard: Vec<Option<ActorId>>,
    /// Where a message was last sent, with the label for its first arrow.
    sent: Vec<Option<(Position, Option<TextLabel>)>>,
    /// The message whose publish is the latest event.
    latest: Option<MessageId>,
    rows: Rows,
    lines: Lines,
    bars: Bars,
    arrows: Vec<Arrow>,
    marks: Vec<Mark>,
}

impl Walk<'_> {
    fn event(&mut self, at: usize, event: &Event) {
        match (&event.what, event.message) {
            (What::Published(outcome), Some(message)) if self.story.tone(event).is_none() => {
                self.published(at, event, message, outcome)
            }
            (What::Delivered { redelivered }, Some(message)) => {
                self.delivered(at, event, message, *redelivered)
            }
            (What::Connected, _) if self.rows.is_empty() => {}
            _ => {
                if let Some((tone, text)) = self.story.remark(event) {
                    self.mark(at, event, tone, &text);
                }
            }
        }
        if !matches!(event.what, What::Published(_)) {
            self.latest = None;
        }
        let y = self.rows.y;
        self.lines.event(event, y);
        // The bar of a delivery is placed before its arrow.
        if !matches!(event.what, What::Delivered { .. }) {
            self.bars.event(event, self.x[&event.actor], y);
        }
    }

    fn published(&mut self, at: usize, event: &Event, message: MessageId, outcome: &Outcome) {
        let (x, y) = (self.x[&event.actor], self.rows.next(event.at));
        let heard = self.heard[message.index()];
        let text = self.story.sent(message, outcome);
        let target = heard.or_else(|| self.meant(message)).and_then(|actor| self.x.get(&actor).copied());
        let is_left = target.is_some_and(|target| target < x);
        let side = if is_left { -1 } else { 1 };
        let near = Position { x: x + side * BESIDE + self.reach(event.actor, side), y: y - OVER };
        let label = if is_left { TextLabel::until(near, &text) } else { TextLabel::from(near, &text) };
        let label = TextLabel { is_bad: is_bad(outcome), ..label };
        // It starts at the bar of the handler that sent it.
        let cause = self.story.trace.message(message).cause();
        let bar = cause.and_then(|cause| self.bars.offset(event.actor, cause)).filter(|_| side > 0);
        let from = Position { x: x + bar.unwrap_or(0), y };
        let reaches = reaches(outcome);
        if heard.is_some() && reaches {
            self.sent[message.index()] = Some((from, Some(label)));
            self.latest = Some(message);
        } else {
            let to = Position { x: from.x + side * STUB, y: from.y };
            let fate = if reaches { MessageOutcome::Kept } else { MessageOutcome::Failed };
            self.arrows.push(Arrow { message, event: at, from, to, fate, labels: vec![label] });
        }
    }

    /// Returns the intended receiver of a message that was not received.
    fn meant(&self, message: MessageId) -> Option<ActorId> {
        let sent = self.story.trace.message(message);
        match sent.kind()? {
            MessageKind::Request => {
                let service = sent.topic().split('.').next();
                let lane =
                    self.x.keys().find(|actor| Some(self.story.trace.actor(**actor).service()) == service);
                lane.copied()
            }
            MessageKind::Response | MessageKind::Error => {
                Some(self.story.trace.message(sent.cause()?).sender())
            }
            MessageKind::Notification => None,
        }
    }

    fn delivered(&mut self, at: usize, event: &Event, message: MessageId, redelivered: bool) {
        let x = self.x[&event.actor];
        let sent = self.sent[message.index()].clone();
        let is_own = self.story.trace.message(message).sender() == event.actor;
        // What arrives at once is drawn in the row in which it was sent.
        let y = if self.latest == Some(message) && !is_own { self.rows.y } else { self.rows.next(event.at) };
        self.bars.event(event, x, y);
        let fate = if redelivered { MessageOutcome::Again } else { MessageOutcome::Arrived };
        let (from, mut labels) = match sent {
            Some((from, label)) if !redelivered || event.delivery == 1 => (from, Vec::from_iter(label)),
            // The broker redelivers it.
            _ => {
                let from = Position { x: self.x.get(&ActorId::of_peer(0)).copied().unwrap_or(x), y };
                let again = if redelivered { ", again" } else { "" };
                let text = self.story.born(message) + again;
                (from, vec![TextLabel::until(Position { x: x - BESIDE, y: y - OVER }, &text)])
            }
        };
        let side = if from.x < x { -1 } else { 1 };
        let to = Position { x: x + side * 5 + self.reach(event.actor, side), y };
        if y - from.y > FAR {
            // On the other side of the line, away from the arrow.
            let again = if redelivered { " again" } else { "" };
            let text = format!("{}{again}", self.story.name(message));
            let beyond = Position { x: x - side * BESIDE + self.reach(event.actor, -side), y: y + 4 };
            labels.push(if side > 0 {
                TextLabel::until(beyond, &text)
            } else {
                TextLabel::from(beyond, &text)
            });
        }
        if let Some((_, label)) = &mut self.sent[message.index()] {
            *label = None;
        }
        self.arrows.push(Arrow { message, event: at, from, to, fate, labels });
    }

    fn mark(&mut self, event_at: usize, event: &Event, tone: Tone, text: &str) {
        let x = self.x[&event.actor];
        let from = x + BESIDE + self.reach(event.actor, 1);
        let label = TextLabel::from(Position { x: from, y: 0 }, text);
        let y = self.rows.beside(event.at, x - BESIDE, from + label.width + BESIDE);
        let label = TextLabel { at: Position { x: from, y: y + 4 }, is_bad: tone == Tone::Bad, ..label };
        self.marks.push(Mark { event: event_at, at: Position { x, y }, tone, label });
    }

    /// Returns how far the bars of an actor extend on one side of its line.
    fn reach(&self, actor: ActorId, side: i32) -> i32 {
        if side > 0 { self.bars.reach(actor) } else { 0 }
    }
}
