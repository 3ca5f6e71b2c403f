//! The settings that all promises of a run share.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tavrida::transport::Transport;

use crate::Capability;

/// An action of the environment.
type Doing = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Breaks connections from the broker's side.
pub(crate) type Breaker = Arc<dyn Fn() -> Doing + Send + Sync>;

/// Raises an alarm, or ends it.
pub(crate) type Alarm = Arc<dyn Fn(bool) -> Doing + Send + Sync>;

/// The settings that all promises of a run share.
pub(crate) struct Settings {
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) prefix: String,
    pub(crate) virtual_host: String,
    pub(crate) login: String,
    pub(crate) patience: Duration,
    pub(crate) lacking: BTreeSet<Capability>,
    pub(crate) breaker: Option<Breaker>,
    pub(crate) alarm: Option<Alarm>,
    pub(crate) rounds: Option<Duration>,
    /// The version of RabbitMQ that the broker behaves like.
    pub(crate) like: Option<(u16, u16)>,
}
