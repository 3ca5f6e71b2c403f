//! Publishing: the core returns the outcome at once, unless an alarm blocks publishers.

use std::sync::Arc;

use tavrida::transport::{
    BrokerError, ConnectionLost, DIRECT_REPLY_TO, Publication, PublishError, PublishErrorKind, PublishFuture,
    Scope, SendNow, check_properties,
};
use tokio::sync::oneshot;

use super::aftermath::{Aftermath, PublishResult};
use super::handle::{Handle, SessionId};
use super::state::{Entry, State, refusal};
use crate::core::{ChannelId, Command, Effect, Method};

/// Returns the channel that a session publishes on.
fn channel_of(id: SessionId) -> ChannelId {
    id.publisher().channel(1)
}

/// Returns the channel of a session's direct replies and of the requests for them. It is separate, so that a refused publish, which closes
/// its channel, loses no answers.
pub(super) fn replies_of(id: SessionId) -> ChannelId {
    id.publisher().channel(2)
}

/// A publish without an outcome yet.
pub(super) struct Waiting {
    pub(super) publication: Arc<Publication>,
    pub(super) outcome: oneshot::Sender<PublishResult>,
}

impl Waiting {
    fn new(publication: Arc<Publication>) -> (Self, oneshot::Receiver<PublishResult>) {
        let (outcome, told) = oneshot::channel();
        (Self { publication, outcome }, told)
    }

    /// Fails it: the session ended before it was sent.
    pub(super) fn give_up(self, loss: &ConnectionLost, aftermath: &mut Aftermath) {
        self.fail(PublishErrorKind::NotSent(loss.clone()), aftermath);
    }

    /// Fails it: the session ended, and the sender cannot know whether the broker has it.
    pub(super) fn lose(self, loss: &ConnectionLost, aftermath: &mut Aftermath) {
        self.fail(PublishErrorKind::Ambiguous(loss.clone()), aftermath);
    }

    fn fail(self, reason: PublishErrorKind, aftermath: &mut Aftermath) {
        aftermath.tell(self.outcome, Err(unpublished(reason, self.publication)));
    }
}

pub(super) fn unpublished(reason: PublishErrorKind, publication: Arc<Publication>) -> PublishError {
    PublishError::new(reason, Arc::unwrap_or_clone(publication))
}

/// The state of a publish after it was sent.
pub(super) enum SentState {
    Known(PublishResult),
    Held(Arc<Publication>),
    Unconfirmed(PublishResult, Arc<Publication>),
    Late(u64, PublishResult, Arc<Publication>),
    Unknown,
}

impl SendNow for Handle {
    fn send_now(&self, publication: Arc<Publication>) -> PublishFuture<'static> {
        let mut state = self.shared.lock();
        let id = self.life.id;
        if let Some(loss) = self.life.loss() {
            return PublishFuture::ready(Err(unpublished(
                PublishErrorKind::NotSent(loss.clone()),
                publication,
            )));
        }
        if let Err(refusal) = check_properties(&publication.properties, state.frame_max) {
            return PublishFuture::ready(Err(unpublished(PublishErrorKind::Refused(refusal), publication)));
        }
        if let Some(reason) = state.broker.alarm() {
            let reason = reason.to_owned();
            return state.hold_back(id, reason, publication);
        }
        match state.send(id, publication) {
            SentState::Known(outcome) if state.late_confirms => PublishFuture::waiting(after_others(outcome)),
            SentState::Known(outcome) => PublishFuture::ready(outcome),
            SentState::Held(publication) => {
                state.keep_publish(id, publication, |entry, waiting| entry.held.push(waiting))
            }
            SentState::Unconfirmed(became, publication) => {
                let keep = |entry: &mut Entry, waiting| entry.unconfirmed.push((waiting, became));
                state.keep_publish(id, publication, keep)
            }
            SentState::Late(number, became, publication) => {
                let keep = |entry: &mut Entry, waiting| entry.late.push((number, waiting, became));
                state.keep_publish(id, publication, keep)
            }
            SentState::Unknown => PublishFuture::waiting(std::future::pending()),
        }
    }
}

/// How many turns other tasks get before a late outcome: a message that is woken for goes through several tasks to its handler, and what the
/// handler sends does so again.
const TURNS: u32 = 32;

async fn after_others(outcome: PublishResult) -> PublishResult {
    for _ in 0..TURNS {
        tokio::task::yield_now().await;
    }
    outcome
}

impl State {
    /// Opens the channel that a session publishes on.
    pub(super) fn open_publisher(&mut self, id: SessionId) {
        self.open_publishing(channel_of(id));
    }

    /// Replaces a closed channel if a session published on it. The broker ignores what was in transit, which the sender cannot know.
    pub(super) fn replace_publisher(&mut self, channel: ChannelId, refusal: &BrokerError) {
        let id = SessionId::of(channel.connection);
        if channel != channel_of(id) || !self.sessions.contains_key(&id) {
            return;
        }
        self.open_publisher(id);
        let held = self.sessions.get_mut(&id).map(|entry| std::mem::take(&mut entry.held));
        let loss =
            ConnectionLost::broken(format!("the broker closed the channel that it was sent on: {refusal}"));
        for waiting in held.into_iter().flatten() {
            waiting.lose(&loss, &mut self.aftermath);
        }
    }

    /// Opens the channel of a session's direct replies.
    pub(super) fn open_replies(&mut self, id: SessionId) -> ChannelId {
        let channel = replies_of(id);
        self.open_publishing(channel);
        channel
    }

    fn open_publishing(&mut self, channel: ChannelId) {
        self.apply(Command::Method { channel, method: Method::ChannelOpen });
        self.apply(Command::Method { channel, method: Method::ConfirmSelect { nowait: true } });
    }

    pub(super) fn publish(&mut self, id: SessionId, publication: Arc<Publication>) -> PublishResult {
        let direct = publication.properties.reply_to.as_deref() == Some(DIRECT_REPLY_TO)
            && self.broker.is_open(replies_of(id))
            && self.broker.has_exchange_for(&publication);
        let own = if direct { replies_of(id) } else { channel_of(id) };
        let method = Method::BasicPublish { publication: publication.clone(), immediate: false };
        let mut effects = self.execute(Command::Method { channel: own, method });
        let mut failure = None;
        for effect in effects.drain() {
            match effect {
                Effect::Return { channel, .. } if channel == own => {
                    failure = Some(PublishErrorKind::Unroutable)
                }
                Effect::Confirm { channel, ack: false, .. } if channel == own => {
                    failure = Some(PublishErrorKind::Nacked);
                }
                Effect::ChannelClosed { channel, ref reason } if channel == own => {
                    failure = Some(PublishErrorKind::Refused(refusal(reason.clone(), Scope::Channel)));
                }
                _ => {}
            }
            self.note(effect);
        }
        self.keep(effects);
        let outcome = failure.map_or(Ok(()), Err);
        self.tell_published(id, &publication, &outcome);
        outcome.map_err(|reason| unpublished(reason, publication))
    }

    /// Holds a publish until the alarm is cleared.
    fn hold_back(
        &mut self,
        id: SessionId,
        reason: String,
        publication: Arc<Publication>,
    ) -> PublishFuture<'static> {
        self.keep_publish(id, publication, |entry, waiting| {
            entry.blocked = Some(reason);
            entry.waiting.push_back(waiting);
        })
    }

    /// Stores a publish with its session until its outcome is known.
    fn keep_publish(
        &mut self,
        id: SessionId,
        publication: Arc<Publication>,
        keep: impl FnOnce(&mut Entry, Waiting),
    ) -> PublishFuture<'static> {
        let (waiting, told) = Waiting::new(publication);
        if let Some(entry) = self.sessions.get_mut(&id) {
            keep(entry, waiting);
        }
        PublishFuture::waiting(async { told.await.expect("a publish that waits is told its outcome") })
    }

    /// Publishes what waited for the end of the alarm, session by session, in order.
    pub(super) fn publish_waiting(&mut self) {
        for id in self.sessions.keys().copied().collect::<Vec<_>>() {
            let Some(entry) = self.sessions.get_mut(&id) else { continue };
            entry.blocked = None;
            for Waiting { publication, outcome } in std::mem::take(&mut entry.waiting) {
                let became = self.publish(id, publication);
                self.aftermath.tell(outcome, became);
            }
        }
    }
}
