//! The difference of a mutant from the transport that it wraps.

use tavrida::transport::{
    AckKind, Binding, ConnectionLost, Consume, ConsumerError, Exchange, Publication, PublishError, Queue,
    QueueStatus, SessionError,
};

use crate::unable::Unable;

/// Changes to calls and results; none by default.
#[derive(Clone, Copy)]
pub(crate) struct Twist {
    pub(crate) exchange: fn(&mut Exchange),
    pub(crate) queue: fn(&mut Queue),
    pub(crate) binding: fn(&mut Binding),
    pub(crate) publication: fn(&mut Publication),
    pub(crate) consume: fn(&mut Consume),
    pub(crate) verdict: fn(AckKind) -> AckKind,
    pub(crate) outcome: fn(&mut Result<(), PublishError>),
    pub(crate) delivered: fn(&mut Publication),
    pub(crate) redelivered: fn(bool) -> bool,
    pub(crate) status: fn(&mut QueueStatus),
    pub(crate) count: fn(u32) -> u32,
    pub(crate) left: fn(u32) -> u32,
    pub(crate) error: fn(&mut SessionError),
    pub(crate) end: fn(&mut ConsumerError),
    pub(crate) loss: fn(ConnectionLost) -> ConnectionLost,
    pub(crate) blocked: fn(Option<String>) -> Option<String>,
    /// An argument that queues lose.
    pub(crate) loses: &'static str,
    pub(crate) unable: Unable,
    pub(crate) habit: Habit,
}

/// A behaviour that no change of values produces.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Habit {
    Good,
    /// Returns the same session to all callers.
    OneForAll,
    /// Deletes what is in use or not empty.
    DeletesAnyway,
    /// Treats a missing queue as an empty one.
    ForgivesMissing,
    /// Sends a moment after the call.
    PublishesLate,
    /// Sends one message at a time, each after the outcome of the one before.
    PublishesInTurn,
    /// Publishes when the future is created, not when it is polled.
    PublishesEarly,
    /// Delays the first publish of two until the second was sent.
    SwapsPublishes,
    /// Reports a confirm without checking.
    ConfirmsBlindly,
    /// Swaps the outcomes of concurrent publishes.
    SwapsOutcomes,
    /// Closes the session when a publish is refused.
    DiesOfRefusals,
    /// Delivers the second of two deliveries first.
    SwapsDeliveries,
    /// Forgets to cancel a consumer that is dropped.
    LeaksConsumers,
    /// Ends a cancelled consumer at once.
    CancelLoses,
    /// Returns the end of a consumer once, then waits forever.
    EndsOnce,
    /// Reports the end of a consumer only to a caller that takes the earlier deliveries.
    EndsLate,
    /// Acknowledges all earlier deliveries along with one.
    AcksMultiple,
    /// Accepts settlements of a dead session silently.
    SettlesStale,
    /// Loses the settlement of the hundredth delivery.
    LosesHundredth,
    /// Does not unbind.
    NeverUnbinds,
    /// Answers after the end as before.
    OutlivesItself,
    /// Fails to close what is closed.
    ClosesOnce,
    /// Closes without notifying the tasks that wait.
    EndsInSilence,
}

impl Twist {
    /// A faithful wrapper.
    pub(crate) const NONE: Self = Self {
        exchange: |_| (),
        queue: |_| (),
        binding: |_| (),
        publication: |_| (),
        consume: |_| (),
        verdict: |verdict| verdict,
        outcome: |_| (),
        delivered: |_| (),
        redelivered: |redelivered| redelivered,
        status: |_| (),
        count: |count| count,
        left: |left| left,
        error: |_| (),
        end: |_| (),
        loss: |loss| loss,
        blocked: |reason| reason,
        loses: "",
        unable: Unable(None),
        habit: Habit::Good,
    };

    /// A wrapper with only a habit.
    pub(crate) const fn habit(habit: Habit) -> Self {
        Self { habit, ..Self::NONE }
    }
}
