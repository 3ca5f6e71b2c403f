//! [`Picture`]: a diagram of a run, or of one of its chains.
//!
//! [`mermaid`](Picture::mermaid) returns a sequence diagram as plain text, to be stored beside a test and compared. [`page`](Picture::page)
//! returns one self-contained HTML file without scripts. Both are the same for the same run, byte for byte: random names of a run are
//! replaced in the order of their first appearance, messages by `m1`, `m2`, and so on.
//!
//! ```
//! use tavrida::Service;
//! use tavrida::handler::params;
//! use tavrida::message::Failure;
//! use tavrida_testkit::picture::Picture;
//! use tavrida_testkit::sim::{Setup, Sim};
//!
//! fn greeter() -> Service {
//!     async fn hello(_name: String) -> Result<(), Failure> {
//!         Ok(())
//!     }
//!     Service::new("greeter").rpc("hello", params(["name"], hello))
//! }
//!
//! let finished = Setup::new(1).run(async |sim: Sim| -> Result<(), Failure> {
//!     let graph = sim.graph().service(greeter).client("web").start().await;
//!     graph.client("web").to("greeter.hello").param("name", "Anna").ask().await?;
//!     graph.settle().await;
//!     Ok(())
//! });
//! let text = Picture::of(&finished.trace).mermaid();
//! assert_eq!(
//!     text,
//!     "sequenceDiagram
//!     participant web
//!     participant greeter
//!     web->>greeter: m1 greeter.hello
//!     greeter-->>web: m2 reply greeter.hello
//! "
//! );
//! let page = finished.picture().named("Anna is greeted").seed(1).page();
//! assert!(page.contains("Anna is greeted") && page.contains("<svg"));
//! ```

mod layout;
mod mermaid;
mod page;
mod story;

use std::io;
use std::path::Path;

use crate::run::{Chain, Run};
use crate::sim::{Finished, Verdict};
use crate::trace::Trace;

use story::Story;

/// A diagram of a run, or of one of its chains: what to draw, and its title.
#[derive(Debug, Clone)]
#[must_use = "a picture is drawn by `mermaid`, `page` or `write_to`"]
pub struct Picture<'a> {
    trace: &'a Trace,
    chain: Option<&'a str>,
    name: &'a str,
    seed: Option<u64>,
    verdict: Option<&'a Verdict>,
    replay: Option<&'a str>,
}

impl<'a> Picture<'a> {
    /// Returns a picture of everything that happened.
    pub fn of(trace: &'a Trace) -> Self {
        Self { trace, chain: None, name: "A run", seed: None, verdict: None, replay: None }
    }

    /// Shows only the messages with this correlation id, and what happened meanwhile to their senders and receivers.
    ///
    /// # Panics
    ///
    /// Panics if no message of the run has this correlation id; the text lists the ids.
    #[track_caller]
    pub fn chain(self, correlation_id: &'a str) -> Self {
        let mut known: Vec<String> = Vec::new();
        for message in self.trace.messages() {
            let id = message.correlation_id();
            if id == correlation_id {
                return Self { chain: Some(correlation_id), ..self };
            }
            if !known.contains(&id) {
                known.push(id);
            }
        }
        panic!("no message of the run has the correlation id '{correlation_id}', but there are {known:?}")
    }

    /// Sets the title. The default is "A run".
    pub fn named(self, name: &'a str) -> Self {
        Self { name, ..self }
    }

    /// Sets the seed of the run.
    pub fn seed(self, seed: u64) -> Self {
        Self { seed: Some(seed), ..self }
    }

    /// Sets how the run ended.
    pub fn verdict(self, verdict: &'a Verdict) -> Self {
        Self { verdict: Some(verdict), ..self }
    }

    /// Sets how to repeat the run, as a line to copy.
    pub fn replay(self, replay: &'a str) -> Self {
        Self { replay: Some(replay), ..self }
    }

    /// Returns a sequence diagram for [Mermaid](https://mermaid.js.org), as text.
    ///
    /// Requests are solid arrows, replies dashed ones, notifications open ones, each drawn where it arrives; a message that reaches no one
    /// is an arrow with a cross. Faults, failures, lost sessions, effects and redeliveries are notes.
    pub fn mermaid(&self) -> String {
        mermaid::diagram(&Story::of(self.trace, self.chain))
    }

    /// Returns an HTML page: a lifeline for each actor, an arrow for each message, virtual time downward, and below it a table of all
    /// events with the messages' bodies.
    ///
    /// Each chain has its own colour and can be viewed alone. Failures are red, redeliveries are dashed, and time in which nothing happens
    /// is folded. The page is one file without scripts, and is also well-formed XML.
    pub fn page(&self) -> String {
        page::page(self, &Story::of(self.trace, self.chain))
    }

    /// Writes the [page](Picture::page) to a file, and overwrites an existing one.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn write_to(&self, path: impl AsRef<Path>) -> io::Result<()> {
        std::fs::write(path, self.page())
    }
}

impl Run {
    /// Returns a picture of the run.
    pub fn picture(&self) -> Picture<'_> {
        Picture::of(self.trace())
    }

    /// Returns a sequence diagram of the run, as text: [`Picture::mermaid`].
    pub fn mermaid(&self) -> String {
        self.picture().mermaid()
    }
}

impl Chain<'_> {
    /// Returns a picture of the chain.
    ///
    /// # Panics
    ///
    /// Panics if the chain is empty.
    #[track_caller]
    pub fn picture(&self) -> Picture<'_> {
        self.run().picture().chain(self.id())
    }

    /// Returns a sequence diagram of the chain, as text: [`Picture::mermaid`].
    ///
    /// # Panics
    ///
    /// Panics if the chain is empty.
    #[track_caller]
    pub fn mermaid(&self) -> String {
        self.picture().mermaid()
    }
}

impl Finished {
    /// Returns a picture of the run, with its verdict.
    pub fn picture(&self) -> Picture<'_> {
        Picture { verdict: Some(&self.verdict), ..Picture::of(&self.trace) }
    }
}
