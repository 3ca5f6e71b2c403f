//! [`History`]: the calls of a run, checked against a sequential model.
//!
//! The search is that of Wing and Gong ("Testing and verifying concurrent objects", 1993), and remembers which calls with which state lead
//! nowhere (Lowe, 2017): calls that are under way at the same time are tried in each set and not, as in the crate stateright, in each order.

use std::fmt::Write;
use std::hash::Hash;

use rustc_hash::FxHashSet;
use tavrida::contract::{Rpc, Wire};
use tavrida::message::{MessageKind, Payload};

use super::Run;
use crate::trace::names::Names;
use crate::trace::text;
use crate::trace::{MessageId, SentMessage, What};

/// The most calls that a history has.
const MOST: usize = 128;

/// The calls of a run, with the answers that a sequential model `S` gives to them: see [`Run::history`].
#[must_use = "a history is checked by `assert_linearizable`"]
pub struct History<'r, S> {
    run: &'r Run,
    calls: Vec<Call<S>>,
}

/// A call, between two events of the run.
struct Call<S> {
    request: MessageId,
    sent: usize,
    /// When its answer arrived, and which.
    answered: Option<(usize, MessageId)>,
    /// Makes it in the model. Returns whether the model gives the answer of the run, if there is one.
    apply: Box<dyn Fn(&mut S) -> bool>,
}

impl Run {
    /// Begins a history of calls, to check that a service behaves like a sequential model, whatever is called at the same time: that it is
    /// linearizable. Each call takes effect at one moment between its request and the arrival of its answer. The time of the check is
    /// exponential in the number of calls that are under way at one moment: a dozen is much.
    ///
    /// ```
    /// use serde::{Deserialize, Serialize};
    /// use tavrida::prelude::*;
    /// use tavrida_testkit::exhaustive::exhaustive;
    /// use tavrida_testkit::sim::{Sim, Store};
    ///
    /// #[derive(Serialize, Deserialize, Rpc)]
    /// #[rpc("counter.add", reply = Total)]
    /// struct Add { by: u64 }
    ///
    /// #[derive(Serialize, Deserialize)]
    /// struct Total { total: u64 }
    ///
    /// struct Counter { store: Store<u64>, in_one_operation: bool }
    ///
    /// #[tavrida::service("counter")]
    /// impl Counter {
    ///     #[rpc(Add)]
    ///     async fn add(&self, add: Add) -> Total {
    ///         if self.in_one_operation {
    ///             let sum = |total: &mut Option<u64>| *total.insert(total.unwrap_or(0) + add.by);
    ///             return Total { total: self.store.update("total", sum).await };
    ///         }
    ///         let total = self.store.get("total").await.unwrap_or(0) + add.by;
    ///         self.store.put("total", total).await;
    ///         Total { total }
    ///     }
    /// }
    ///
    /// async fn two_at_once(sim: Sim, in_one_operation: bool) -> Result<()> {
    ///     let store = sim.store("totals");
    ///     let counter = move || Counter { store: store.clone(), in_one_operation }.into_service();
    ///     let graph = sim.graph().service(counter).client("web").start().await;
    ///     let web = graph.client("web");
    ///     let (one, two) = tokio::join!(web.ask(Add { by: 1 }), web.ask(Add { by: 2 }));
    ///     (one?, two?);
    ///     let run = graph.settle().await;
    ///     let add = |total: &mut u64, add: Add| {
    ///         *total += add.by;
    ///         Total { total: *total }
    ///     };
    ///     run.history().of(add).assert_linearizable(0);
    ///     Ok(())
    /// }
    ///
    /// exhaustive(|sim| two_at_once(sim, true)).run().assert_ok();
    /// assert!(!exhaustive(|sim| two_at_once(sim, false)).run().is_ok());
    /// ```
    pub fn history<S>(&self) -> History<'_, S> {
        History { run: self, calls: Vec::new() }
    }
}

impl<S: Clone + Eq + Hash> History<'_, S> {
    /// Adds the calls of a contract, and how the model answers them. A call without an answer, or with an error, may take effect at any time
    /// after its request, or never.
    ///
    /// # Panics
    ///
    /// Panics if the payload of a request is not one of the contract, or if there are more than 128 calls.
    #[track_caller]
    pub fn of<C: Rpc>(mut self, apply: impl Fn(&mut S, C) -> C::Reply + Clone + 'static) -> Self {
        let is_request = |message: &SentMessage| {
            message.kind() == Some(MessageKind::Request) && message.topic() == C::ENTRY_POINT
        };
        for hit in self.run.sends(is_request) {
            let answered = self.answer_to(hit.message);
            let payload = |message| self.payload(message);
            let (request, answer) = (payload(hit.message), answered.map(|(_, answer)| payload(answer)));
            assert!(
                C::from_payload(&request).is_ok(),
                "the request {} is none of its contract",
                C::ENTRY_POINT
            );
            let apply = apply.clone();
            let apply = move |state: &mut S| {
                let request = C::from_payload(&request).expect("it was read before");
                let reply = apply(state, request).to_payload();
                answer.as_ref().is_none_or(|answer| reply.is_ok_and(|reply| reply == *answer))
            };
            self.calls.push(Call { request: hit.message, sent: hit.event, answered, apply: Box::new(apply) });
        }
        assert!(
            self.calls.len() <= MOST,
            "a history has {MOST} calls at most, and here are {}",
            self.calls.len()
        );
        self
    }

    /// Asserts that some order of the calls gives their answers, in which no call comes before one that was answered before its request was
    /// sent.
    ///
    /// # Panics
    ///
    /// Panics if there is none, with the calls.
    #[track_caller]
    pub fn assert_linearizable(self, initial: S) {
        let mut search = ModelSearch { calls: &self.calls, nowhere: FxHashSet::default() };
        if !search.is_ordered_from(0, &initial) {
            panic!("not linearizable: no order of these calls gives their answers\n{}", self.lines());
        }
    }

    /// Returns the first answer to a request that arrived, and when.
    fn answer_to(&self, request: MessageId) -> Option<(usize, MessageId)> {
        let trace = self.run.trace();
        let id = trace.message(request).request_id();
        trace.events().iter().enumerate().find_map(|(at, event)| {
            let answer = event.message.filter(|_| matches!(event.what, What::Delivered { .. }))?;
            let message = trace.message(answer);
            let is_it =
                message.kind() == Some(MessageKind::Response) && !id.is_empty() && message.request_id() == id;
            is_it.then_some((at, answer))
        })
    }

    fn payload(&self, message: MessageId) -> Payload {
        let message = self.run.trace().message(message).message();
        message.map(|message| message.payload().clone()).unwrap_or_default()
    }

    /// Returns the calls, one line for each request and each answer, in the order of events.
    fn lines(&self) -> String {
        let trace = self.run.trace();
        let names = Names::of(trace);
        let ends = |call: &Call<S>| [Some((call.sent, call.request)), call.answered];
        let mut ends: Vec<(usize, MessageId)> = self.calls.iter().flat_map(ends).flatten().collect();
        ends.sort_unstable_by_key(|(at, _)| *at);
        let mut lines = String::new();
        for (at, message) in ends {
            let event = &trace.events()[at];
            let (at, line) = (event.at.as_secs_f64(), text::line(trace, &names, event));
            let payload = text::payload(trace.message(message), 80);
            writeln!(lines, "    {at:.3} | {line}{payload}").expect("a string takes all text");
        }
        lines
    }
}

/// The search for an order.
struct ModelSearch<'h, S> {
    calls: &'h [Call<S>],
    /// Which calls, made in any order that leads to this state, cannot be followed by the others.
    nowhere: FxHashSet<(u128, S)>,
}

impl<S: Clone + Eq + Hash> ModelSearch<'_, S> {
    /// Returns whether some order of the calls that are not `made` gives their answers, from this state.
    fn is_ordered_from(&mut self, made: u128, state: &S) -> bool {
        let is_made = |call: usize| made >> call & 1 == 1;
        let left = || (0..self.calls.len()).filter(|call| !is_made(*call));
        // No call comes behind the first answer that is left.
        let first = left().filter_map(|call| self.calls[call].answered).map(|(at, _)| at).min();
        let Some(first) = first else { return true };
        if self.nowhere.contains(&(made, state.clone())) {
            return false;
        }
        let candidates: Vec<usize> = left().filter(|call| self.calls[*call].sent < first).collect();
        for call in candidates {
            let mut next = state.clone();
            if (self.calls[call].apply)(&mut next) && self.is_ordered_from(made | 1 << call, &next) {
                return true;
            }
        }
        self.nowhere.insert((made, state.clone()));
        false
    }
}
