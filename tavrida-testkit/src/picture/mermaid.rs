//! [`diagram`]: a story as a Mermaid sequence diagram.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use tavrida::message::MessageKind;

use super::story::{Story, reaches};
use crate::trace::{ActorId, ActorKind, Event, MessageId, Outcome, What};

/// The maximum length of a text, in characters.
const LONGEST: usize = 120;

/// Words with a meaning to Mermaid at the beginning of a line.
const KEYWORDS: &str = " accdescr acctitle activate actor alt and as autonumber box break create critical deactivate destroy else \
                        end link links loop note opt option par par_over participant properties rect title ";

pub(super) fn diagram(story: &Story<'_>) -> String {
    let mut diagram =
        Diagram { story, cast: Vec::new(), ids: BTreeMap::new(), lines: String::new(), spoken: false };
    for event in &story.events {
        diagram.event(event);
    }
    diagram.text()
}

struct Diagram<'a> {
    story: &'a Story<'a>,
    /// The participants, in order of first appearance.
    cast: Vec<ActorId>,
    ids: BTreeMap<ActorId, String>,
    lines: String,
    /// Whether anything but connecting has happened yet.
    spoken: bool,
}

impl Diagram<'_> {
    fn event(&mut self, event: &Event) {
        match (&event.what, event.message) {
            (What::Published(outcome), Some(message)) if self.story.tone(event).is_none() => {
                self.published(event.actor, message, outcome)
            }
            (What::Delivered { redelivered }, Some(message)) => {
                self.delivered(event, message, *redelivered);
            }
            // All actors connect at the beginning.
            (What::Connected, _) if !self.spoken => {}
            _ => {
                if let Some((_, text)) = self.story.remark(event) {
                    self.note(event.actor, &text);
                }
            }
        }
    }

    /// Shows a publish: an arrow is drawn where the message arrives; a message that does not arrive is shown where it was sent.
    fn published(&mut self, sender: ActorId, message: MessageId, outcome: &Outcome) {
        let text = self.chain(message) + &self.story.sent(message, outcome);
        match (outcome, self.story.arrivals(message)) {
            (outcome, 0) if !reaches(outcome) => self.arrow(sender, "-x", self.broker(), &text),
            // The first sender comes first.
            (Outcome::Routed, 1..) => {
                self.id(sender);
            }
            _ => self.note(sender, &text),
        }
        self.spoken = true;
    }

    fn delivered(&mut self, event: &Event, message: MessageId, redelivered: bool) {
        let sent = self.story.trace.message(message);
        let label = self.chain(message) + &self.story.born(message);
        if redelivered && event.delivery > 1 {
            return self.note(event.actor, &format!("{label}, redelivered"));
        }
        let line = match sent.kind() {
            Some(MessageKind::Response | MessageKind::Error) => "-->>",
            Some(MessageKind::Notification) => "-)",
            Some(MessageKind::Request) | None => "->>",
        };
        let label = if redelivered { format!("{label}, redelivered") } else { label };
        self.arrow(sent.sender(), line, event.actor, &label);
    }

    fn arrow(&mut self, from: ActorId, line: &str, to: ActorId, text: &str) {
        let (from, to) = (self.id(from), self.id(to));
        self.line(&format!("{from}{line}{to}: {}", escaped(text)));
    }

    fn note(&mut self, over: ActorId, text: &str) {
        let over = self.id(over);
        self.line(&format!("Note over {over}: {}", escaped(text)));
    }

    fn line(&mut self, line: &str) {
        self.spoken = true;
        self.lines.push_str("    ");
        self.lines.push_str(line);
        self.lines.push('\n');
    }

    /// Returns a prefix for a message's name if there are several chains.
    fn chain(&self, message: MessageId) -> String {
        match self.story.chain(message) {
            Some(chain) if self.story.chains.len() > 1 => format!("c{} ", chain + 1),
            _ => String::new(),
        }
    }

    fn broker(&self) -> ActorId {
        ActorId::of_peer(0)
    }

    /// Returns the id of an actor: its name as far as Mermaid allows.
    fn id(&mut self, actor: ActorId) -> String {
        if let Some(id) = self.ids.get(&actor) {
            return id.clone();
        }
        let word = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        let mut id: String = name(self.story, actor).chars().map(word).collect();
        if !id.starts_with(|c: char| c.is_ascii_alphabetic()) || is_keyword(&id) {
            id.insert_str(0, "p_");
        }
        let taken: BTreeSet<&String> = self.ids.values().collect();
        while taken.contains(&id) {
            id.push('_');
        }
        self.cast.push(actor);
        self.ids.insert(actor, id.clone());
        id
    }

    fn text(&self) -> String {
        let mut text = String::from("sequenceDiagram\n");
        for actor in &self.cast {
            let (id, name) = (&self.ids[actor], name(self.story, *actor));
            let alias = if id == name { String::new() } else { format!(" as {}", escaped(name)) };
            writeln!(text, "    participant {id}{alias}").expect("a string takes everything");
        }
        text + &self.lines
    }
}

/// Returns the displayed name of an actor: the simulation is shown as the broker.
fn name<'a>(story: &'a Story<'_>, actor: ActorId) -> &'a str {
    let actor = story.trace.actor(actor);
    if actor.kind() == ActorKind::Simulation { "broker" } else { actor.name() }
}

fn is_keyword(word: &str) -> bool {
    KEYWORDS.split_ascii_whitespace().any(|keyword| keyword.eq_ignore_ascii_case(word))
}

/// Escapes a text for Mermaid. Its entities are written without the ampersand: `#59;`.
fn escaped(text: &str) -> String {
    let text = shortened(text);
    let mut escaped = String::new();
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        match c {
            '\n' => escaped.push_str("<br/>"),
            c if c.is_control() => escaped.push(' '),
            c if is_special(c, before, &text[at..]) => {
                write!(escaped, "#{};", u32::from(c)).expect("a string takes everything");
            }
            c => escaped.push(c),
        }
        before = c;
    }
    // Mermaid ignores a line without text.
    if escaped.trim().is_empty() { "-".to_owned() } else { escaped }
}

/// Returns whether a character has a meaning to Mermaid between `before` and the rest of the text (which includes it).
fn is_special(c: char, before: char, from: &str) -> bool {
    match c {
        '#' | ';' | '<' | '&' | '%' => true,
        // Mermaid takes an entity right after a colon as a style.
        ':' => from.chars().nth(1).is_some_and(|next| !next.is_whitespace()),
        // The word that ends a block does so even inside a text.
        'e' | 'E' if !before.is_alphanumeric() => {
            let word = from.split(|c: char| !c.is_alphanumeric()).next();
            word.is_some_and(|word| word.eq_ignore_ascii_case("end"))
        }
        _ => false,
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
