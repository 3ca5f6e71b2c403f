//! One connection through the proxy: bytes in both directions, under the rules.

use std::io;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
};

use super::rules::Rules;

/// How much a direction reads before it asks whether it may pass.
const BUFFER: usize = 16 * 1024;

/// Both ends of a connection. If dropped before both directions have ended, it resets both.
pub(super) struct Connection {
    client: TcpStream,
    server: TcpStream,
    over: bool,
}

impl Connection {
    pub(super) fn new(client: TcpStream, server: TcpStream) -> Self {
        for stream in [&client, &server] {
            // Small frames must not wait for each other; this fails only on a dead connection.
            let _ = stream.set_nodelay(true);
        }
        Self { client, server, over: false }
    }

    /// Forwards until both directions have ended or one has failed.
    pub(super) async fn run(mut self, rules: &Rules) {
        let (from_client, to_client) = self.client.split();
        let (from_server, to_server) = self.server.split();
        let there = pump(from_client, to_server, rules);
        let back = pump(from_server, to_client, rules);
        self.over = tokio::try_join!(there, back).is_ok();
        // Even the end of a failed connection is delayed while the wire is held.
        rules.released().await;
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if !self.over {
            for stream in [&self.client, &self.server] {
                // This fails only on a connection that is already dead.
                let _ = stream.set_zero_linger();
            }
        }
    }
}

async fn pump(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, rules: &Rules) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
        let length = from.read(&mut buffer).await?;
        if length == 0 {
            rules.released().await;
            return to.shutdown().await;
        }
        pass(&buffer[..length], &mut to, rules).await?;
    }
}

async fn pass(mut bytes: &[u8], to: &mut WriteHalf<'_>, rules: &Rules) -> io::Result<()> {
    while !bytes.is_empty() {
        let (admitted, duration) = rules.admit(bytes.len()).await;
        let (now, later) = bytes.split_at(admitted);
        to.write_all(now).await?;
        bytes = later;
        if !duration.is_zero() {
            rules.pace(duration).await;
        }
    }
    Ok(())
}
