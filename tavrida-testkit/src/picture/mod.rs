//! [`Picture`]: a run, or one chain of it, to look at.
//!
//! [`mermaid`](Picture::mermaid) gives a sequence diagram as plain text, to be kept beside a test and compared. [`page`](Picture::page)
//! gives one HTML file that needs nothing else, neither scripts nor the network. Both are the same for the same run, byte for byte:
//! what is random in a run is called by the order in which it first appears, the messages `m1`, `m2`, and so on.
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

/// A run, or one chain of it, to look at: what to draw, and what to write above it.
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
    /// A picture of everything that happened.
    pub fn of(trace: &'a Trace) -> Self {
        Self { trace, chain: None, name: "A run", seed: None, verdict: None, replay: None }
    }

    /// Only the messages with this correlation id, and what befell those who sent and got them meanwhile.
    ///
    /// # Panics
    ///
    /// When no message of the run has this correlation id; the text says which there are.
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

    /// What to call it; "A run" if nothing is said.
    pub fn named(self, name: &'a str) -> Self {
        Self { name, ..self }
    }

    /// The seed of the run.
    pub fn seed(self, seed: u64) -> Self {
        Self { seed: Some(seed), ..self }
    }

    /// How the run ended.
    pub fn verdict(self, verdict: &'a Verdict) -> Self {
        Self { verdict: Some(verdict), ..self }
    }

    /// How to make the run again, as a line to copy.
    pub fn replay(self, replay: &'a str) -> Self {
        Self { replay: Some(replay), ..self }
    }

    /// A sequence diagram for [Mermaid](https://mermaid.js.org), as text.
    ///
    /// Requests are solid arrows, replies dashed ones, notifications open ones, each where it arrives; what went to nobody is an
    /// arrow with a cross. Faults, failures, lost sessions, effects and messages that came again are notes.
    pub fn mermaid(&self) -> String {
        mermaid::diagram(&Story::of(self.trace, self.chain))
    }

    /// An HTML page: a lifeline for each actor, an arrow for each message on its way, virtual time downward, and all events in a
    /// table beneath, with the messages' bodies.
    ///
    /// Each chain has a colour of its own, and can be looked at alone. What went wrong is red, what came again is dashed, and
    /// time in which nothing happens is folded. The page is one file, without scripts, and well-formed XML too.
    pub fn page(&self) -> String {
        page::page(self, &Story::of(self.trace, self.chain))
    }

    /// Writes the [page](Picture::page) to a file, over what was there.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn write_to(&self, path: impl AsRef<Path>) -> io::Result<()> {
        std::fs::write(path, self.page())
    }
}

impl Run {
    /// A picture of the run.
    pub fn picture(&self) -> Picture<'_> {
        Picture::of(self.trace())
    }

    /// A sequence diagram of the run, as text: [`Picture::mermaid`].
    pub fn mermaid(&self) -> String {
        self.picture().mermaid()
    }
}

impl Chain<'_> {
    /// A picture of the chain.
    ///
    /// # Panics
    ///
    /// When the chain is empty.
    #[track_caller]
    pub fn picture(&self) -> Picture<'_> {
        self.run().picture().chain(self.id())
    }

    /// A sequence diagram of the chain, as text: [`Picture::mermaid`].
    ///
    /// # Panics
    ///
    /// When the chain is empty.
    #[track_caller]
    pub fn mermaid(&self) -> String {
        self.picture().mermaid()
    }
}

impl Finished {
    /// A picture of the run, with its verdict.
    pub fn picture(&self) -> Picture<'_> {
        Picture { verdict: Some(&self.verdict), ..Picture::of(&self.trace) }
    }
}
