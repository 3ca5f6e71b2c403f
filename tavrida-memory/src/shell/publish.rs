//! Publishing: the outcome is known when the core has done it, unless an alarm holds publishers back.

use std::sync::Arc;

use tavrida::transport::{Loss, NotPublished, Publication, Publishing, Scope, SendNow, Unpublished};
use tokio::sync::oneshot;

use super::aftermath::{Aftermath, Outcome};
use super::handle::{Handle, SessionId};
use super::state::{State, refusal};
use crate::core::{ChannelId, Command, Effect, Method};

/// The one channel of a publishing connection.
fn channel_of(id: SessionId) -> ChannelId {
    id.publisher().channel(1)
}

/// A publish that waits for the end of an alarm.
pub(super) struct Waiting {
    pub(super) publication: Arc<Publication>,
    pub(super) outcome: oneshot::Sender<Outcome>,
}

impl Waiting {
    /// The session is over and it was never sent.
    pub(super) fn give_up(self, loss: &Loss, aftermath: &mut Aftermath) {
        let reason = NotPublished::NotSent(loss.clone());
        aftermath.tell(self.outcome, Err(unpublished(reason, self.publication)));
    }
}

pub(super) fn unpublished(reason: NotPublished, publication: Arc<Publication>) -> Unpublished {
    Unpublished::new(reason, Arc::unwrap_or_clone(publication))
}

/// A publish that a network has seen.
pub(super) enum Sent {
    Known(Outcome),
    Held(Arc<Publication>),
    Unknown,
}

impl SendNow for Handle {
    fn send_now(&self, publication: Arc<Publication>) -> Publishing<'static> {
        let mut state = self.shared.lock();
        let id = self.life.id;
        if let Some(loss) = self.life.loss() {
            return Publishing::ready(Err(unpublished(NotPublished::NotSent(loss.clone()), publication)));
        }
        if let Some(reason) = state.broker.alarm() {
            let reason = reason.to_owned();
            return state.hold_back(id, Some(reason), publication);
        }
        if let Some(network) = state.network.clone() {
            return match state.publish_by(&network, id, publication) {
                Sent::Known(outcome) => Publishing::ready(outcome),
                Sent::Held(publication) => state.hold_back(id, None, publication),
                Sent::Unknown => Publishing::waiting(std::future::pending()),
            };
        }
        Publishing::ready(state.publish(id, publication))
    }
}

impl State {
    /// Opens the channel that a session publishes on.
    pub(super) fn open_publisher(&mut self, id: SessionId) {
        let channel = channel_of(id);
        self.apply(Command::Method { channel, method: Method::ChannelOpen });
        self.apply(Command::Method { channel, method: Method::ConfirmSelect { nowait: true } });
    }

    pub(super) fn publish(&mut self, id: SessionId, publication: Arc<Publication>) -> Outcome {
        let own = channel_of(id);
        let method = Method::BasicPublish { publication: publication.clone(), immediate: false };
        let mut effects = self.execute(Command::Method { channel: own, method });
        let mut failure = None;
        for effect in effects.drain() {
            match effect {
                Effect::Return { channel, .. } if channel == own => failure = Some(NotPublished::Unroutable),
                Effect::Confirm { channel, ack: false, .. } if channel == own => {
                    failure = Some(NotPublished::Nacked);
                }
                Effect::ChannelClosed { channel, ref reason } if channel == own => {
                    failure = Some(NotPublished::Refused(refusal(reason.clone(), Scope::Channel)));
                }
                _ => {}
            }
            self.note(effect);
        }
        self.keep(effects);
        let outcome = failure.map_or(Ok(()), Err);
        self.tell_published(id, &publication, &outcome);
        let Err(reason) = outcome else { return Ok(()) };
        if matches!(reason, NotPublished::Refused(_)) {
            self.open_publisher(id);
        }
        Err(unpublished(reason, publication))
    }

    /// Keeps a publish until the alarm is over, or the network lets it through.
    fn hold_back(
        &mut self,
        id: SessionId,
        reason: Option<String>,
        publication: Arc<Publication>,
    ) -> Publishing<'static> {
        let (outcome, told) = oneshot::channel();
        if let Some(entry) = self.sessions.get_mut(&id) {
            entry.blocked = reason.or(entry.blocked.take());
            entry.waiting.push_back(Waiting { publication, outcome });
        }
        Publishing::waiting(async { told.await.expect("a publish that waits is told its outcome") })
    }

    /// The alarm is over: what waited is published, session by session, in order.
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
