//! The two connections of a session: how they are made, watched and closed.

mod channels;
mod dial;
mod life;
mod tls;
mod watch;

pub(crate) use channels::{IdleChannels, close_quietly, open_channel};
pub(crate) use dial::{Dialled, dial};
pub(crate) use life::Life;
pub(crate) use watch::{Over, watch};
