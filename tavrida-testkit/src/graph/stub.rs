//! [`Stub`]: a stand-in for a service.

use parking_lot::Mutex;
use std::borrow::Borrow;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use tavrida::Service;
use tavrida::contract::{self, Event, Rpc};
use tavrida::message::{Failure, IntoFailure};

use super::GraphBuilder;

/// A stand-in for a service: answers the requests of contracts as configured, receives events, counts calls, and fails on demand. Clones
/// are handles to the same stub.
///
/// ```
/// # use serde::{Deserialize, Serialize};
/// # use tavrida::contract::{NoError, Rpc};
/// # use tavrida::message::Failure;
/// # use tavrida_testkit::sim::{Setup, Sim, Verdict};
/// use tavrida_testkit::graph::Stub;
/// # #[derive(Serialize, Deserialize)] struct Check { sku: String }
/// # #[derive(Serialize, Deserialize)] struct Available { sku: String, left: u64 }
/// # impl Rpc for Check { const ENTRY_POINT: &'static str = "stock.check"; type Reply = Available; type Error = NoError; }
///
/// # let finished = Setup::new(1).run(async |sim: Sim| {
/// let stock = Stub::of::<Check>(|check| Available { sku: check.sku, left: 1 }).failing(1, Failure::new("stock.Down", "not now"));
/// let graph = sim.graph().stub(&stock).client("web").start().await;
/// let web = graph.client("web");
/// assert!(web.ask(Check { sku: "s-1".to_owned() }).await.is_err());
/// assert_eq!(web.ask(Check { sku: "s-1".to_owned() }).await?.left, 1);
/// assert_eq!(stock.times(), 2);
/// graph.settle().await.handled::<Check>().assert_count(2).by("stock").assert_count(2);
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// # });
/// # assert_eq!(finished.verdict, Verdict::Passed);
/// ```
#[derive(Clone)]
pub struct Stub(Arc<Inner>);

struct Inner {
    name: String,
    /// Functions that add the handlers to a service, in the order in which they were given.
    handlers: Mutex<Vec<Arc<Handlers>>>,
    state: Mutex<State>,
}

type Handlers = dyn Fn(Service, &Stub) -> Service + Send + Sync;

#[derive(Default)]
struct State {
    times: usize,
    failures: VecDeque<Failure>,
}

impl Stub {
    /// Returns a stub of this name without handlers.
    pub fn named(name: &str) -> Self {
        Self(Arc::new(Inner { name: name.to_owned(), handlers: Mutex::default(), state: Mutex::default() }))
    }

    /// Returns a stub for the service of a contract: it replies to each request of that contract.
    pub fn of<C: Rpc>(reply: impl Fn(C) -> C::Reply + Send + Sync + 'static) -> Self {
        Self::named(service_of::<C>()).and::<C>(reply)
    }

    /// Returns a stub for the service of a contract that may also answer with the contract's error.
    pub fn trying<C: Rpc>(answer: impl Fn(C) -> Result<C::Reply, C::Error> + Send + Sync + 'static) -> Self {
        Self::named(service_of::<C>()).and_trying::<C>(answer)
    }

    /// Returns a stub of this name that subscribes to an event.
    pub fn hearing<E: Event>(name: &str) -> Self {
        Self::named(name).and_hearing::<E>()
    }

    /// Also replies to the requests of another contract.
    pub fn and<C: Rpc>(self, reply: impl Fn(C) -> C::Reply + Send + Sync + 'static) -> Self {
        self.and_trying::<C>(move |request| Ok(reply(request)))
    }

    /// Also answers the requests of another contract, with replies or the contract's error.
    pub fn and_trying<C: Rpc>(
        self,
        answer: impl Fn(C) -> Result<C::Reply, C::Error> + Send + Sync + 'static,
    ) -> Self {
        let answer = Arc::new(answer);
        self.handle(move |service, stub| {
            let (stub, answer) = (stub.clone(), answer.clone());
            service.handle(move |request: C| {
                let answered =
                    stub.called().and_then(|()| answer(request).map_err(|e| contract::failure_of::<C>(&e)));
                async move { answered }
            })
        })
    }

    /// Also subscribes to another event.
    pub fn and_hearing<E: Event>(self) -> Self {
        self.handle(|service, stub| {
            let stub = stub.clone();
            service.subscribe(move |_: E| {
                let heard = stub.called();
                async move { heard }
            })
        })
    }

    /// Fails the next `times` calls: a request is answered with the failure, an event is retried or dead-lettered.
    pub fn failing(self, times: usize, failure: impl IntoFailure) -> Self {
        self.fail(times, failure);
        self
    }

    /// Fails the next `times` calls with a contract's error.
    pub fn failing_with<C: Rpc>(self, times: usize, error: &C::Error) -> Self {
        self.failing(times, contract::failure_of::<C>(error))
    }

    /// As [`failing`](Stub::failing), for a stub that already runs.
    pub fn fail(&self, times: usize, failure: impl IntoFailure) {
        let failure = failure.into_failure();
        self.0.state.lock().failures.extend(std::iter::repeat_n(failure, times));
    }

    /// Returns its name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Returns how many requests and events it received, including those that it failed.
    pub fn times(&self) -> usize {
        self.0.state.lock().times
    }

    /// Returns the service that the stub runs.
    fn service(&self) -> Service {
        let handlers = self.0.handlers.lock().clone();
        handlers.iter().fold(Service::new(&self.0.name), |service, add| add(service, self))
    }

    fn handle(self, add: impl Fn(Service, &Self) -> Service + Send + Sync + 'static) -> Self {
        self.0.handlers.lock().push(Arc::new(add));
        self
    }

    /// Counts a call.
    ///
    /// # Errors
    ///
    /// The call is to fail.
    fn called(&self) -> Result<(), Failure> {
        let mut state = self.0.state.lock();
        state.times += 1;
        state.failures.pop_front().map_or(Ok(()), Err)
    }
}

fn service_of<C: Rpc>() -> &'static str {
    C::ENTRY_POINT.split('.').next().unwrap_or_default()
}

impl GraphBuilder {
    /// Adds a stand-in for a service.
    ///
    /// # Panics
    ///
    /// Panics if the graph already has a server of this name.
    #[track_caller]
    pub fn stub(self, stub: impl Borrow<Stub>) -> Self {
        let stub = stub.borrow().clone();
        self.stand_in(stub.name().to_owned(), move || stub.service())
    }
}

impl fmt::Debug for Stub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stub")
            .field("name", &self.0.name)
            .field("times", &self.times())
            .finish_non_exhaustive()
    }
}
