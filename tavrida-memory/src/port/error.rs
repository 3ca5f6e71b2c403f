//! [`ListenError`]: why a port was not opened.

use std::net::SocketAddr;
use std::{error, fmt, io};

/// A port was not opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum ListenError {
    /// The system refused: the address is in use, or not one of this machine.
    Io(io::Error),
    /// Other machines reach this address. [`PortBuilder::anywhere`](super::PortBuilder::anywhere) permits it.
    NotLoopback(SocketAddr),
    /// The clock of the runtime is paused (`start_paused`, `tokio::time::pause`): sockets live in real time. Use another runtime for the
    /// port, or the transport of the broker, which follows the paused clock.
    PausedClock,
    /// The broker is part of a simulation, whose network a socket would bypass.
    Simulated,
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(_) => f.write_str("the system refused the port"),
            Self::NotLoopback(address) => write!(
                f,
                "{address} is an address that other machines reach: listen on 127.0.0.1, or permit it with \
                 `PortBuilder::anywhere`"
            ),
            Self::PausedClock => f.write_str(
                "the clock of this runtime is paused, and sockets live in real time: listen on a runtime with a \
                 running clock, or use the broker's transport",
            ),
            Self::Simulated => {
                f.write_str("the broker is part of a simulation: only a broker without a network can listen")
            }
        }
    }
}

impl error::Error for ListenError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            _ => None,
        }
    }
}
