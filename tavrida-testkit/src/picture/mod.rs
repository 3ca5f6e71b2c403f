//! [`Picture`]: a run, or one chain of it, to look at.
//!
//! [`mermaid`](Picture::mermaid) gives a sequence diagram as plain text, to be kept beside a test and compared.
//! It is the same for the same run, byte for byte: what is random in a run is called by the order in which it first appears, the
//! messages `m1`, `m2`, and so on.
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
//! ```

mod mermaid;
mod story;

use crate::run::Run;
use crate::sim::Finished;
use crate::trace::Trace;

use story::Story;

/// A run, or one chain of it, to look at.
#[derive(Debug, Clone)]
#[must_use = "a picture is drawn by `mermaid`"]
pub struct Picture<'a> {
    trace: &'a Trace,
    chain: Option<&'a str>,
}

impl<'a> Picture<'a> {
    /// A picture of everything that happened.
    pub fn of(trace: &'a Trace) -> Self {
        Self { trace, chain: None }
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

    /// A sequence diagram for [Mermaid](https://mermaid.js.org), as text.
    ///
    /// Requests are solid arrows, replies dashed ones, notifications open ones, each where it arrives; what went to nobody is an
    /// arrow with a cross. Faults, failures, lost sessions, effects and messages that came again are notes.
    pub fn mermaid(&self) -> String {
        mermaid::diagram(&Story::of(self.trace, self.chain))
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

impl Finished {
    /// A picture of the run.
    pub fn picture(&self) -> Picture<'_> {
        Picture::of(&self.trace)
    }
}
