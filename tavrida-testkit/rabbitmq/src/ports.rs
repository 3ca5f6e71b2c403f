//! Chooses ports on loopback that stay reserved while a node is down.

use std::{io, net::Ipv4Addr, net::TcpListener};

use crate::error::{Error, Result};

/// Below the ports that kernels assign to outgoing connections (32768 upwards on Linux). A client that keeps connecting to a dead port of
/// that range can be assigned that same port and connect to itself, which TCP allows.
const RANGE: std::ops::Range<u16> = 10_000..32_000;

const ATTEMPTS: usize = 100;

/// Chooses `N` different ports that are free right now.
pub(crate) fn free_ports<const N: usize>() -> Result<[u16; N]> {
    let mut held = Vec::with_capacity(N);
    while held.len() < N {
        held.push(listen_anywhere()?);
    }
    let mut ports = [0; N];
    for (port, listener) in ports.iter_mut().zip(&held) {
        *port = listener.local_addr().map_err(|e| Error::io("reading the address of a listener", e))?.port();
    }
    Ok(ports)
}

/// Listens on a free port of loopback.
pub(crate) fn listen_anywhere() -> Result<TcpListener> {
    let mut last = None;
    for _ in 0..ATTEMPTS {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, fastrand::u16(RANGE))) {
            Ok(listener) => return Ok(listener),
            Err(error) => last = Some(error),
        }
    }
    let source = last.unwrap_or_else(|| io::ErrorKind::AddrInUse.into());
    Err(Error::io(
        format!("finding a free port on 127.0.0.1 between {} and {}", RANGE.start, RANGE.end),
        source,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_chosen_together_differ_and_can_be_listened_on() {
        let mut ports = free_ports::<8>().unwrap();

        let listeners: Vec<_> =
            ports.iter().map(|&port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap()).collect();

        ports.sort_unstable();
        assert_eq!(listeners.len(), 8);
        assert!(ports.windows(2).all(|pair| pair[0] < pair[1]), "{ports:?}");
    }
}
