//! [`Run`]: what happened in a run, for queries and assertions.
//!
//! It is a finished value and does not change, so that "this did not happen" needs no waiting. Queries select by
//! [contracts](tavrida::contract), entry points or kinds of messages, and return a [`Found`] to filter and assert on. A [`Chain`] is all
//! messages that one request caused.
//!
//! A failed assertion panics at its call site; its text shows what was expected, what was found, and the chains concerned.
//!
//! ```
//! # use serde::{Deserialize, Serialize};
//! # use tavrida::contract::{NoError, Rpc};
//! # use tavrida::{Proxy, Service, message::{ErrorReply, Failure}};
//! # use tavrida_testkit::sim::{Setup, Sim, Verdict};
//! use tavrida_testkit::run::Ack;
//! # #[derive(Serialize, Deserialize)] struct Create { cents: u64 }
//! # #[derive(Serialize, Deserialize)] struct Created { receipt: u64 }
//! # #[derive(Serialize, Deserialize)] struct Charge { cents: u64 }
//! # #[derive(Serialize, Deserialize)] struct Receipt { number: u64 }
//! # impl Rpc for Create { const ENTRY_POINT: &'static str = "orders.create"; type Reply = Created; type Error = NoError; }
//! # impl Rpc for Charge { const ENTRY_POINT: &'static str = "billing.charge"; type Reply = Receipt; type Error = NoError; }
//! # fn orders() -> Service {
//! #     async fn create(proxy: Proxy, new: Create) -> Result<Created, Failure> {
//! #         let receipt: Receipt = proxy.ask(Charge { cents: new.cents }).await?;
//! #         Ok(Created { receipt: receipt.number })
//! #     }
//! #     Service::new("orders").handle(create)
//! # }
//! # fn billing() -> Service {
//! #     async fn charge(_: Charge) -> Receipt { Receipt { number: 1 } }
//! #     Service::new("billing").handle(charge)
//! # }
//! # let finished = Setup::new(1).run(|sim: Sim| async move {
//! let graph = sim.graph().service(orders).service(billing).client("web").start().await;
//! let answer = graph.client("web").ask(Create { cents: 500 }).in_full().await?;
//! assert_eq!(answer.receipt, 1);
//!
//! let run = graph.settle().await;
//! run.chain(answer.chain()).assert([
//!     "web -> orders.create",
//!     "orders -> billing.charge",
//!     "billing => orders",
//!     "orders => web",
//! ]);
//! run.handled::<Charge>().assert_count(1).assert_all(|charge| charge.cents == 500).assert_settled(Ack);
//! run.sent::<Create>().assert_before(&run.sent::<Charge>());
//! run.assert_none::<ErrorReply>();
//! run.assert_no_errors();
//! # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
//! # });
//! # assert_eq!(finished.verdict, Verdict::Passed);
//! ```

mod chain;
mod diff;
mod found;
mod history;
mod order;
mod queries;
mod report;

use std::fmt;
use std::sync::Arc;

pub use chain::{Chain, Step};
pub use found::{Found, Hit};
pub use history::History;
pub use queries::Kind;
pub use tavrida::transport::AckKind::{self, Ack, Reject, Requeue};

use crate::trace::Trace;

/// What happened in a run. Clones are cheap.
#[derive(Debug, Clone)]
pub struct Run(Arc<Trace>);

impl Run {
    pub(crate) fn new(trace: Arc<Trace>) -> Self {
        Self(trace)
    }

    /// Returns everything that happened.
    pub fn trace(&self) -> &Trace {
        &self.0
    }

    /// Returns everything that happened as text, for snapshots: see [`Trace::text`].
    pub fn text(&self) -> String {
        self.0.look_at_dead_letters();
        self.0.text()
    }

    /// Returns the digest of everything that happened: see [`Trace::digest`].
    pub fn digest(&self) -> u64 {
        self.0.digest()
    }
}

impl From<&crate::trace::Trace> for Run {
    fn from(trace: &crate::trace::Trace) -> Self {
        Self(Arc::new(trace.clone()))
    }
}

impl From<Arc<Trace>> for Run {
    fn from(trace: Arc<Trace>) -> Self {
        Self(trace)
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
