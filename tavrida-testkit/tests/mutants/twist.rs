//! What a mutant does differently from the transport that it wraps.

use tavrida::transport::{
    AckKind, Binding, ConnectionLost, Consume, ConsumerError, Exchange, Publication, PublishError, Queue,
    QueueStatus, SessionError,
};

use crate::unable::Unable;

/// Changes on the way to the transport and back; none by default.
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

/// A way of working that no change of values brings about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Habit {
    Good,
    /// Gives everybody the same session.
    OneForAll,
    /// Deletes what is in use or not empty.
    DeletesAnyway,
    /// Takes a missing queue for an empty one.
    ForgivesMissing,
    /// Sends a moment after it was asked to.
    PublishesLate,
    /// Sends one message at a time, each when the one before is done with.
    PublishesInTurn,
    /// Publishes when the publishing is made, not when it is polled.
    PublishesEarly,
    /// Holds the first publish of two back until the second was sent.
    SwapsPublishes,
    /// Says that a message has arrived without looking.
    ConfirmsBlindly,
    /// Mixes up the outcomes of publishes that are under way together.
    SwapsOutcomes,
    /// Closes the session when a publish is refused.
    DiesOfRefusals,
    /// Hands the second of two deliveries out first.
    SwapsDeliveries,
    /// Forgets to cancel a consumer that is dropped.
    LeaksConsumers,
    /// Ends a cancelled consumer at once.
    CancelLoses,
    /// Tells the end of a consumer once, then waits for ever.
    EndsOnce,
    /// Tells the end of a consumer to who takes what came before, and to nobody else.
    EndsLate,
    /// Acknowledges all earlier deliveries along with one.
    AcksMultiple,
    /// Takes settlements of a dead session without a word.
    SettlesStale,
    /// Loses the settlement of the hundredth delivery.
    LosesHundredth,
    /// Does not unbind.
    NeverUnbinds,
    /// Answers after the end as if nothing had happened.
    OutlivesItself,
    /// Fails to close what is closed.
    ClosesOnce,
    /// Closes without a word to those who wait.
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

    /// A wrapper with nothing but a habit.
    pub(crate) const fn habit(habit: Habit) -> Self {
        Self { habit, ..Self::NONE }
    }
}
