//! The two connections of a session: opening, watching and closing them.

mod channels;
mod dial;
mod life;
mod tls;
mod watch;

pub(crate) use channels::{IdleChannels, close_quietly, open_channel};
pub(crate) use dial::{Dialled, dial};
pub(crate) use life::Life;
pub(crate) use watch::{Over, watch};
