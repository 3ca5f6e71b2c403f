//! [`Chain`]: all that was said because of one request.

use std::fmt;

use tavrida::message::MessageKind;

use super::{Run, diff, report};
use crate::trace::{MessageId, Outcome, What};

/// All that was said with one correlation id, in the order in which it was sent. The copies that retries make, and what the
/// broker makes of dead letters, are left out.
///
/// A chain is written as its [steps](Step), a line for each.
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
/// | `orders ~> orders.created` | a notification, to whoever subscribed to the topic |
/// | `web -> orders.create (unroutable)` | a message that no queue took, or of which its sender could not know |
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// The service that sent it, or the client.
    pub from: String,
    /// Which of the four it is.
    pub kind: MessageKind,
    /// The method, the service that is answered, or the topic.
    pub to: String,
    /// What became of it at first; none where that was never known.
    pub outcome: Option<Outcome>,
}

impl<'r> Chain<'r> {
    pub(super) fn new(run: &'r Run, id: String, messages: Vec<MessageId>) -> Self {
        Self { run, id, messages }
    }

    /// The correlation id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its messages.
    pub fn messages(&self) -> &[MessageId] {
        &self.messages
    }

    /// The run that it is part of.
    pub fn run(&self) -> &'r Run {
        self.run
    }

    /// Its messages as steps.
    pub fn steps(&self) -> Vec<Step> {
        self.messages.iter().map(|message| self.step(*message)).collect()
    }

    /// The steps, a line for each, for snapshots.
    pub fn text(&self) -> String {
        self.to_string()
    }

    /// Asserts what the steps are.
    ///
    /// # Panics
    ///
    /// When they are others.
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
