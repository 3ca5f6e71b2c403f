//! [`Stub`]: a stand-in for a service that is not there.

use std::borrow::Borrow;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tavrida::Service;
use tavrida::contract::{self, Event, Rpc};
use tavrida::message::{Failure, IntoFailure};

use super::GraphBuilder;

/// A stand-in for a service: it answers the requests of contracts as it is told, hears events, counts, and fails on demand. A clone
/// is another handle to the same stub, for a test that keeps one.
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
/// graph.settle().await.handled::<Check>().times(2).by("stock").times(2);
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// # });
/// # assert_eq!(finished.verdict, Verdict::Passed);
/// ```
#[derive(Clone)]
pub struct Stub(Arc<Inner>);

struct Inner {
    name: String,
    /// What adds the handlers to a service, in the order in which they were given.
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
    /// A stub without handlers, of this name.
    pub fn named(name: &str) -> Self {
        Self(Arc::new(Inner { name: name.to_owned(), handlers: Mutex::default(), state: Mutex::default() }))
    }

    /// A stub of the service of a contract: it replies to each of its requests.
    pub fn of<C: Rpc>(reply: impl Fn(C) -> C::Reply + Send + Sync + 'static) -> Self {
        Self::named(service_of::<C>()).and::<C>(reply)
    }

    /// A stub of the service of a contract that may also answer with the contract's error.
    pub fn trying<C: Rpc>(answer: impl Fn(C) -> Result<C::Reply, C::Error> + Send + Sync + 'static) -> Self {
        Self::named(service_of::<C>()).and_trying::<C>(answer)
    }

    /// A service of this name that hears an event.
    pub fn hearing<E: Event>(name: &str) -> Self {
        Self::named(name).and_hearing::<E>()
    }

    /// It replies to the requests of another contract as well.
    pub fn and<C: Rpc>(self, reply: impl Fn(C) -> C::Reply + Send + Sync + 'static) -> Self {
        self.and_trying::<C>(move |request| Ok(reply(request)))
    }

    /// It answers the requests of another contract as well, with replies or the contract's error.
    pub fn and_trying<C: Rpc>(
        self,
        answer: impl Fn(C) -> Result<C::Reply, C::Error> + Send + Sync + 'static,
    ) -> Self {
        let answer = Arc::new(answer);
        self.handle(move |service, stub| {
            let (stub, answer) = (stub.clone(), answer.clone());
            service.rpc_of::<C, _>(move |request: C| {
                let answered =
                    stub.called().and_then(|()| answer(request).map_err(|e| contract::failure_of::<C>(&e)));
                async move { answered }
            })
        })
    }

    /// It hears an event as well.
    pub fn and_hearing<E: Event>(self) -> Self {
        self.handle(|service, stub| {
            let stub = stub.clone();
            service.on_event::<E, _>(move |_: E| {
                let heard = stub.called();
                async move { heard }
            })
        })
    }

    /// It fails so often from now on, before it works again: a request is answered with the failure, an event is retried or
    /// dead-lettered.
    pub fn failing(self, times: usize, failure: impl IntoFailure) -> Self {
        self.fail(times, failure);
        self
    }

    /// It fails with a contract's error so often from now on, before it works again.
    pub fn failing_with<C: Rpc>(self, times: usize, error: &C::Error) -> Self {
        self.failing(times, contract::failure_of::<C>(error))
    }

    /// As [`failing`](Stub::failing), of a stub that is at work already.
    pub fn fail(&self, times: usize, failure: impl IntoFailure) {
        let failure = failure.into_failure();
        self.state().failures.extend(std::iter::repeat_n(failure, times));
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// How often it was called or heard something, failures included.
    pub fn times(&self) -> usize {
        self.state().times
    }

    /// The service that it is.
    fn service(&self) -> Service {
        let handlers = self.handlers().clone();
        handlers.iter().fold(Service::new(&self.0.name), |service, add| add(service, self))
    }

    fn handle(self, add: impl Fn(Service, &Self) -> Service + Send + Sync + 'static) -> Self {
        self.handlers().push(Arc::new(add));
        self
    }

    /// Counts a call.
    ///
    /// # Errors
    ///
    /// It is to fail.
    fn called(&self) -> Result<(), Failure> {
        let mut state = self.state();
        state.times += 1;
        state.failures.pop_front().map_or(Ok(()), Err)
    }

    fn handlers(&self) -> MutexGuard<'_, Vec<Arc<Handlers>>> {
        self.0.handlers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn service_of<C: Rpc>() -> &'static str {
    C::ENTRY_POINT.split('.').next().unwrap_or_default()
}

impl GraphBuilder {
    /// A stand-in for a service that is not there.
    ///
    /// # Panics
    ///
    /// When the graph has a server of its name already.
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
