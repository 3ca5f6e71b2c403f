//! [`Chain`]: all messages that one request caused.

use std::fmt;

use tavrida::message::MessageKind;

use super::{Run, diff, report};
use crate::trace::{MessageId, Outcome, What};

/// All messages with one correlation id, in the order in which they were sent. Copies made by retries and by dead-lettering are left out.
///
/// A chain is shown as its [steps](Step), one line each.
#[derive(Debug, Clone)]
pub struct Chain<'r> {
    run: &'r Run,
    id: String,
    messages: Vec<MessageId>,
}

/// One message of a [`Chain`], as text:
///
/// | text | what it is |
/// |---|---|
/// | `web -> orders.create` | a request to a method |
/// | `orders => web` | a response |
/// | `orders =! web` | an error |
/// | `orders ~> orders.created` | a notification, to all subscribers of the topic |
/// | `web -> orders.create (unroutable)` | a message that no queue took, or whose outcome its sender could not know |
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// The service or client that sent it.
    pub from: String,
    /// The kind of message.
    pub kind: MessageKind,
    /// The method, the service that is answered, or the topic.
    pub to: String,
    /// The first outcome of its publish. `None` if it was never known.
    pub outcome: Option<Outcome>,
}

impl<'r> Chain<'r> {
    pub(super) fn new(run: &'r Run, id: String, messages: Vec<MessageId>) -> Self {
        Self { run, id, messages }
    }

    /// Returns the correlation id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns its messages.
    pub fn messages(&self) -> &[MessageId] {
        &self.messages
    }

    /// Returns the run that the chain is part of.
    pub fn run(&self) -> &'r Run {
        self.run
    }

    /// Returns its messages as steps.
    pub fn steps(&self) -> Vec<Step> {
        self.messages.iter().map(|message| self.step(*message)).collect()
    }

    /// Returns the steps as text, one line each, for snapshots.
    pub fn text(&self) -> String {
        self.to_string()
    }

    /// Asserts that these are the steps.
    ///
    /// # Panics
    ///
    /// Panics if the steps differ.
    #[track_caller]
    pub fn assert<S: AsRef<str>>(&self, expected: impl IntoIterator<Item = S>) -> &Self {
        let expected: Vec<String> = expected.into_iter().map(|step| step.as_ref().to_owned()).collect();
        let found: Vec<String> = self.steps().iter().map(Step::to_string).collect();
        if expected != found {
            let others = if found.is_empty() { report::chains(self.run, &[]) } else { String::new() };
            panic!(
                "the chain '{}' is not as expected (- expected, + found):\n{}{others}",
                self.id,
                diff::lines(&expected, &found)
            );
        }
        self
    }

    fn step(&self, id: MessageId) -> Step {
        let trace = self.run.trace();
        let sent = trace.message(id);
        let service_of = |address: &str| address.split('.').next().unwrap_or_default().to_owned();
        let kind = sent.kind().unwrap_or(MessageKind::Notification);
        let to = match kind {
            MessageKind::Request => sent.topic().to_owned(),
            MessageKind::Notification => sent.topic().to_owned(),
            _ => service_of(sent.header("destination").unwrap_or_default()),
        };
        let outcome = trace.events().iter().find_map(|event| match &event.what {
            What::Published(outcome) if event.message == Some(id) && *outcome != Outcome::Held => {
                Some(outcome.clone())
            }
            _ => None,
        });
        Step { from: service_of(sent.header("source").unwrap_or_default()), kind, to, outcome }
    }
}

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.steps().iter().try_for_each(|step| writeln!(f, "{step}"))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arrow = match self.kind {
            MessageKind::Request => "->",
            MessageKind::Response => "=>",
            MessageKind::Error => "=!",
            MessageKind::Notification => "~>",
        };
        write!(f, "{} {arrow} {}", self.from, self.to)?;
        match &self.outcome {
            Some(Outcome::Routed) => Ok(()),
            Some(Outcome::Unroutable) if self.kind == MessageKind::Notification => f.write_str(" (unheard)"),
            Some(other) => write!(f, " ({other})"),
            None => f.write_str(" (held)"),
        }
    }
}
