//! The two connections of sessions: opening, sharing, watching and closing them.

mod channels;
mod connections;
mod dial;
mod exclusive;
mod liveness;
mod pool;
mod tls;
mod watch;

pub(crate) use channels::{IdleChannels, close_quietly, open_channel};
pub(crate) use connections::{Connections, Flush, Lease};
pub(crate) use dial::dial;
pub(crate) use liveness::Liveness;
pub(crate) use pool::Pool;
pub(crate) use watch::{CLOSE_TIMEOUT, watch_alone};

use dial::OpenConnection;
use watch::watch;
