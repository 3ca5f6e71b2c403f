//! [`Connections`]: a connection that publishes, and one for everything else; with the sessions that share them.

use parking_lot::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use lapin::Connection;
use tavrida::transport::{Broker, ConnectionLost, SessionError};
use tokio::runtime::{self, Handle};

use super::exclusive::{ExclusiveQueues, SessionId};
use super::{Liveness, dial, watch};
use crate::config::{AmqpConfig, Host};

/// The expected maximum number of channels of a session on a connection.
const CHANNELS: usize = 32;

/// The maximum number of sessions on two connections.
const SESSIONS: usize = 64;

/// The last writes of a session, before its connections are closed.
pub(crate) trait Flush: Send + Sync {
    fn flush(&self);
}

/// Two open connections to one host. They are closed when the last session on them ends.
pub(crate) struct Connections {
    pub(crate) life: Arc<Liveness>,
    pub(crate) host: Host,
    /// What the broker reported.
    pub(crate) broker: Option<Broker>,
    pub(crate) publish: Arc<Connection>,
    pub(crate) consume: Arc<Connection>,
    pub(crate) exclusive: ExclusiveQueues,
    members: Arc<Mutex<Vec<Weak<dyn Flush>>>>,
    /// Connections need the runtime that created them.
    runtime: runtime::Id,
    sessions: AtomicUsize,
    capacity: usize,
    next_session: AtomicUsize,
}

impl Connections {
    /// Connects to the first reachable host. A refusal (wrong password, unknown virtual host) is final: no further host is tried.
    pub(crate) async fn open(config: &AmqpConfig) -> Result<Arc<Self>, SessionError> {
        let mut failures = Vec::new();
        for host in &config.hosts {
            match Self::open_at(config, host).await {
                Ok(connections) => return Ok(Arc::new(connections)),
                Err(SessionError::Lost(loss)) if loss.refusal().is_none() => failures.push(loss),
                Err(error) => return Err(error),
            }
        }
        Err(together(failures).into())
    }

    async fn open_at(config: &AmqpConfig, host: &Host) -> Result<Self, SessionError> {
        let (publishes, consumes) =
            tokio::try_join!(dial(config, host, "publish"), dial(config, host, "consume"))?;
        let life = Arc::new(Liveness::new(host.to_string()));
        let channels = usize::from(consumes.connection.configuration().channel_max());
        let heartbeat = consumes.connection.configuration().heartbeat();
        life.listen(vec![publishes.received.clone(), consumes.received.clone()], heartbeat);
        let members: Arc<Mutex<Vec<Weak<dyn Flush>>>> = Arc::default();
        let connections = Self {
            life: life.clone(),
            host: host.clone(),
            broker: consumes.received.broker(),
            publish: publishes.connection.clone(),
            consume: consumes.connection.clone(),
            exclusive: ExclusiveQueues::new(config.virtual_host.clone()),
            members: members.clone(),
            runtime: Handle::current().id(),
            sessions: AtomicUsize::new(0),
            capacity: (channels / CHANNELS).clamp(1, SESSIONS),
            next_session: AtomicUsize::new(0),
        };
        watch(life, publishes, consumes, move || {
            let members = members.lock();
            members.iter().filter_map(Weak::upgrade).for_each(|member| member.flush());
        });
        Ok(connections)
    }

    /// Returns whether a task of this runtime can use them.
    pub(crate) fn is_usable(&self) -> bool {
        self.life.lost().is_none() && self.runtime == Handle::current().id()
    }

    /// Returns a lease for one more session, if there is room.
    pub(crate) fn lease(self: &Arc<Self>) -> Option<Lease> {
        let more = |sessions| (sessions < self.capacity).then_some(sessions + 1);
        self.sessions.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).ok()?;
        let id = self.next_session.fetch_add(1, Ordering::Relaxed);
        Some(Lease { connections: self.clone(), id })
    }
}

impl Drop for Connections {
    fn drop(&mut self) {
        self.life.lose(ConnectionLost::closed_here());
    }
}

/// The share of one session in its connections, which it keeps open.
pub(crate) struct Lease {
    pub(crate) connections: Arc<Connections>,
    pub(crate) id: SessionId,
}

impl Lease {
    /// What is flushed when the connections end.
    pub(crate) fn on_end(&self, member: Weak<dyn Flush>) {
        let mut members = self.connections.members.lock();
        members.retain(|member| member.strong_count() > 0);
        members.push(member);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.connections.sessions.fetch_sub(1, Ordering::AcqRel);
    }
}

fn together(mut failures: Vec<ConnectionLost>) -> ConnectionLost {
    if failures.len() == 1 {
        return failures.remove(0);
    }
    let texts: Vec<_> = failures.iter().map(ToString::to_string).collect();
    ConnectionLost::broken(texts.join("; "))
}
