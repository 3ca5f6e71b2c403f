//! [`serve`]: a connection's socket, between its state machine and the broker.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tavrida::field::ShortString;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};

use super::connection::{ServerConnection, Step};
use super::settings::PortSettings;
use super::shutdown::Shutdown;
use crate::core::{Effect, Method, Sent};
use crate::shell::{Attended, MemoryBroker, Remote};

/// The brokers of a port, by their virtual hosts.
pub(super) type Hosts = BTreeMap<ShortString, MemoryBroker>;

/// How much is read at a time.
const CHUNK: usize = 64 * 1024;

/// How long a client has to agree to a close, as with RabbitMQ.
const CLOSING: Duration = Duration::from_secs(30);

/// Serves a connection until it ends.
///
/// # Errors
///
/// The socket broke, or the client was silent for too long.
pub(super) async fn serve(
    mut stream: TcpStream,
    settings: Arc<PortSettings>,
    hosts: Arc<Hosts>,
    stop: Shutdown,
) -> io::Result<()> {
    let mut served = Served {
        connection: ServerConnection::new(settings.clone()),
        hosts,
        remote: None,
        settings: settings.clone(),
        sending: VecDeque::new(),
        held: None,
    };
    let mut clock = Silence::new(settings.login_timeout);
    let mut stopping = false;
    let (mut reader, mut writer) = stream.split();
    loop {
        served.work();
        let connection = &mut served.connection;
        if connection.has_ended() && connection.output().is_empty() {
            return writer.shutdown().await;
        }
        let reads = connection.reads() && served.held.is_none();
        let deadline = clock.deadline(connection, reads);
        let writes = !connection.output().is_empty();
        let (mut input, mut output) =
            (std::mem::take(connection.input()), std::mem::take(connection.output()));
        let event = tokio::select! {
            biased;
            written = writer.write(&output), if writes => Wake::Written(written?),
            read = read(&mut reader, &mut input), if reads => Wake::Read(read?),
            () = changed(&served.remote) => Wake::Changed,
            () = stop.requested(), if !stopping => Wake::Stop,
            () = sleep_until(deadline) => Wake::Time,
        };
        let connection = &mut served.connection;
        *connection.input() = input;
        if let Wake::Written(count) = event {
            output.drain(..count);
        }
        *connection.output() = output;
        match event {
            Wake::Read(0) => return Ok(()),
            Wake::Read(_) => clock.read(),
            Wake::Written(_) => clock.written(),
            Wake::Changed => {}
            Wake::Stop => {
                stopping = true;
                match &served.remote {
                    Some(remote) => remote.attend().force_close(SHUTDOWN),
                    None => return Ok(()),
                }
            }
            Wake::Time => clock.is_over(connection)?,
        }
    }
}

const SHUTDOWN: &str = "broker forced connection closure with reason 'shutdown'";

/// Why a connection woke up.
enum Wake {
    Read(usize),
    Written(usize),
    Changed,
    Stop,
    Time,
}

async fn read(reader: &mut (impl tokio::io::AsyncRead + Unpin), input: &mut Vec<u8>) -> io::Result<usize> {
    input.reserve(CHUNK);
    reader.read_buf(input).await
}

async fn changed(remote: &Option<Remote>) {
    match remote {
        Some(remote) => remote.changed().await,
        None => std::future::pending().await,
    }
}

/// A connection, and what it waits for.
struct Served {
    connection: ServerConnection,
    hosts: Arc<Hosts>,
    remote: Option<Remote>,
    settings: Arc<PortSettings>,
    /// The channels on which the broker has sent something that is not written.
    sending: VecDeque<u16>,
    held: Option<Held>,
}

/// A `basic.cancel` that waits until earlier deliveries are written: its answer comes behind them.
struct Held {
    channel: u16,
    arrivals: VecDeque<Sent>,
    method: Method,
}

impl Served {
    /// Executes what the client calls, and writes what the broker sends, as far as there is room.
    fn work(&mut self) {
        if self.remote.is_none() {
            let Some(step) = self.connection.next() else { return };
            let Step::Connect { virtual_host, options } = step else { return };
            let permissions = self.settings.permissions_of(&options.user, &virtual_host);
            self.remote =
                self.hosts.get(&virtual_host).map(|broker| broker.connect_remote(options, permissions));
        }
        let Some(remote) = &self.remote else { return };
        let mut broker = remote.attend();
        let (connection, sending) = (&mut self.connection, &mut self.sending);
        loop {
            take_effects(&mut broker, connection, sending);
            if let Some(held) = &mut self.held {
                while connection.has_room()
                    && let Some(sent) = held.arrivals.pop_front()
                {
                    connection.deliver(held.channel, &sent.arrival);
                }
                if !held.arrivals.is_empty() && connection.is_open() {
                    return;
                }
                let Some(Held { channel, method, .. }) = self.held.take() else { return };
                broker.call(channel, method);
                continue;
            }
            match connection.next() {
                Some(Step::Method { channel, method: method @ Method::BasicCancel { .. } }) => {
                    self.held = Some(Held { channel, arrivals: broker.take_all(channel), method });
                }
                Some(Step::Method { channel, method }) => broker.call(channel, method),
                Some(Step::Unreadable { channel, method }) if broker.refuses(channel, &method) => {
                    broker.call(channel, method);
                }
                Some(Step::Unreadable { .. }) => connection.crash(),
                Some(Step::Close) => broker.close(),
                Some(Step::Abort) => broker.abort(),
                Some(Step::Connect { .. }) | None => break,
            }
        }
        while connection.has_room()
            && let Some(channel) = sending.pop_front()
        {
            if let Some(arrival) = broker.take(channel) {
                connection.deliver(channel, &arrival);
                // The channels take turns.
                sending.push_back(channel);
            }
        }
    }
}

fn take_effects(broker: &mut Attended<'_>, connection: &mut ServerConnection, sending: &mut VecDeque<u16>) {
    while let Some(effect) = broker.effect() {
        match effect {
            Effect::Arrived { channel } if !sending.contains(&channel.number) => {
                sending.push_back(channel.number);
            }
            effect => connection.effect(effect),
        }
    }
}

/// How long nothing was read and written.
struct Silence {
    /// By when the client has to have logged in.
    login: Instant,
    read: Instant,
    written: Instant,
    /// By when the client has to agree to a close.
    closing: Option<Instant>,
}

impl Silence {
    fn new(login_timeout: Duration) -> Self {
        let now = Instant::now();
        Self { login: now + login_timeout, read: now, written: now, closing: None }
    }

    fn read(&mut self) {
        self.read = Instant::now();
    }

    fn written(&mut self) {
        self.written = Instant::now();
    }

    /// Returns when something is due. What is not read cannot be missed.
    fn deadline(&mut self, connection: &ServerConnection, reads: bool) -> Instant {
        if !reads {
            self.read = Instant::now();
        }
        if connection.is_closing() || connection.has_ended() {
            return *self.closing.get_or_insert_with(|| Instant::now() + CLOSING);
        }
        if !connection.is_open() {
            return self.login;
        }
        match heartbeat(connection) {
            Some(interval) => (self.written + interval / 2).min(self.read + 2 * interval),
            None => Instant::now() + Duration::from_secs(24 * 60 * 60),
        }
    }

    /// Sends a heartbeat if one is due.
    ///
    /// # Errors
    ///
    /// The client was silent for too long.
    fn is_over(&mut self, connection: &mut ServerConnection) -> io::Result<()> {
        let now = Instant::now();
        let late = |at: Instant| now >= at;
        let timed_out = match heartbeat(connection) {
            _ if connection.is_closing() || connection.has_ended() => self.closing.is_some_and(late),
            _ if !connection.is_open() => late(self.login),
            Some(interval) => late(self.read + 2 * interval),
            None => false,
        };
        if timed_out {
            return Err(io::ErrorKind::TimedOut.into());
        }
        if heartbeat(connection).is_some_and(|interval| late(self.written + interval / 2)) {
            connection.beat();
            self.written = now;
        }
        Ok(())
    }
}

fn heartbeat(connection: &ServerConnection) -> Option<Duration> {
    Some(Duration::from_secs(connection.heartbeat().into())).filter(|interval| !interval.is_zero())
}
