//! [`Port`]: a socket of a broker, and [`PortBuilder`], how to open it.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tavrida::field::ShortString;
use tokio::net::{TcpListener, ToSocketAddrs, lookup_host};
use tokio::task::{JoinHandle, JoinSet};

use super::error::ListenError;
use super::password::Password;
use super::settings::{GUEST, PortSettings};
use super::shutdown::Shutdown;
use super::socket::{Hosts, serve};
use crate::core::Permissions;
use crate::shell::MemoryBroker;

impl MemoryBroker {
    /// Opens a port for AMQP 0-9-1: clients in any language connect to [`Port::uri`], and share the broker with those of this process.
    ///
    /// The login is `guest` with password `guest`. See [`PortBuilder`] for other users, several virtual hosts and other addresses than those
    /// of this machine.
    ///
    /// ```
    /// use tavrida_memory::MemoryBroker;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let port = MemoryBroker::new().listen("127.0.0.1:0").await?;
    /// assert!(port.uri().starts_with("amqp://guest:guest@127.0.0.1:"));
    /// port.shutdown().await;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// The address is not free, or not one of this machine's loopback; or the clock of the runtime is paused: see [`ListenError`].
    pub async fn listen(&self, address: impl ToSocketAddrs) -> Result<Port, ListenError> {
        PortBuilder::new(self).listen(address).await
    }
}

/// A socket on which a [`MemoryBroker`] accepts connections. Dropping it breaks them; [`shutdown`](Port::shutdown) closes them.
#[must_use = "dropping the port closes it"]
pub struct Port {
    address: SocketAddr,
    uri: String,
    stop: Shutdown,
    accepting: Option<JoinHandle<()>>,
}

impl Port {
    /// Returns the address that it listens on, with the number of the port that the system chose for `:0`.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// Returns the URI for clients of this machine: user guest, the address, and the first virtual host.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Closes all connections with 320, as a node of RabbitMQ that is stopped, and waits until they have ended. Those that do not agree
    /// within 30 seconds are broken. Dropping the future breaks them at once.
    pub async fn shutdown(mut self) {
        self.stop.request();
        if let Some(accepting) = self.accepting.as_mut() {
            // It ends early only if the runtime does.
            let _ = accepting.await;
        }
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        if let Some(accepting) = self.accepting.take() {
            accepting.abort();
        }
    }
}

impl fmt::Debug for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Port").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Settings of a [`Port`].
///
/// ```
/// use tavrida_memory::MemoryBroker;
/// use tavrida_memory::port::PortBuilder;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let orders = MemoryBroker::builder().virtual_host(tavrida::field::ShortString::from_static("orders")).build();
/// let port = PortBuilder::new(&orders).user("service", "secret").listen("127.0.0.1:0").await?;
/// assert!(port.uri().ends_with("/orders"));
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use = "a builder does nothing until it listens"]
pub struct PortBuilder {
    hosts: Hosts,
    first: ShortString,
    settings: PortSettings,
    anywhere: bool,
}

impl PortBuilder {
    /// Returns the builder of a port to a broker, which is one virtual host.
    pub fn new(broker: &MemoryBroker) -> Self {
        let (first, behaviour) = broker.description();
        let settings = PortSettings::new(&behaviour);
        Self { hosts: Hosts::new(), first, settings, anywhere: false }.virtual_host(broker)
    }

    /// Adds a broker: another virtual host, by the name that it was built with. One of the same name is replaced.
    pub fn virtual_host(mut self, broker: &MemoryBroker) -> Self {
        let (name, _) = broker.description();
        self.settings.virtual_hosts.insert(name.clone());
        self.hosts.insert(name, broker.clone());
        self
    }

    /// Adds a user, or changes a password.
    pub fn user(self, name: &str, password: impl Into<String>) -> Self {
        self.login(name, Password::plain(password))
    }

    pub(super) fn login(mut self, name: &str, password: Password) -> Self {
        self.settings.users.insert(name.to_owned(), password);
        self
    }

    /// Limits users other than guest to what they may do in these virtual hosts.
    pub(super) fn permissions(
        mut self,
        permitted: impl Iterator<Item = ((String, String), Permissions)>,
    ) -> Self {
        let named = self.settings.names_permissions();
        let permitted = permitted.map(|(place, one)| (place, Arc::new(one.named(named))));
        self.settings.permissions = Some(permitted.collect());
        self
    }

    /// Sets the time that a client has to log in. The default is 10 seconds, as RabbitMQ's.
    pub fn login_timeout(mut self, timeout: Duration) -> Self {
        self.settings.login_timeout = timeout;
        self
    }

    /// Sets the interval of heartbeats that clients are asked for, in seconds; 0 is none. The default is 60, as RabbitMQ's.
    pub fn heartbeat(mut self, seconds: u16) -> Self {
        self.settings.heartbeat = seconds;
        self
    }

    /// Sets the number of channels that a connection may have. The default is 2,047, as RabbitMQ's.
    pub fn channel_max(mut self, channels: u16) -> Self {
        self.settings.channel_max = channels;
        self
    }

    /// Permits addresses that other machines reach. The broker is made for tests: its traffic is not encrypted, and everyone who knows a
    /// password may do everything.
    pub fn anywhere(mut self) -> Self {
        self.anywhere = true;
        self
    }

    /// Opens the port. Its tasks run on the current runtime.
    ///
    /// # Errors
    ///
    /// See [`ListenError`].
    pub async fn listen(self, address: impl ToSocketAddrs) -> Result<Port, ListenError> {
        if self.hosts.values().any(MemoryBroker::is_simulated) {
            return Err(ListenError::Simulated);
        }
        if clock_is_paused() {
            return Err(ListenError::PausedClock);
        }
        let addresses: Vec<SocketAddr> = lookup_host(address).await?.collect();
        if let Some(address) = addresses.iter().find(|address| !address.ip().is_loopback()) {
            if !self.anywhere {
                return Err(ListenError::NotLoopback(*address));
            }
            tracing::warn!(%address, "the broker, which is for tests, listens to other machines");
        }
        let listener = TcpListener::bind(&addresses[..]).await?;
        let address = listener.local_addr()?;
        let uri = self.uri(address);
        let stop = Shutdown::default();
        let accepting = accept(listener, Arc::new(self.settings), Arc::new(self.hosts), stop.clone());
        Ok(Port { address, uri, stop, accepting: Some(tokio::spawn(accepting)) })
    }

    fn uri(&self, mut address: SocketAddr) -> String {
        if address.ip().is_unspecified() {
            address.set_ip(Ipv4Addr::LOCALHOST.into());
        }
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let login = match self.settings.users.get(GUEST) {
            Some(Password::Plain(password)) => format!("{GUEST}:{}@", encode(password)),
            _ => String::new(),
        };
        format!("amqp://{login}{address}/{}", encode(&self.first))
    }
}

async fn accept(listener: TcpListener, settings: Arc<PortSettings>, hosts: Arc<Hosts>, stop: Shutdown) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.requested() => break,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                // Small frames leave at once, as from RabbitMQ.
                let _ = stream.set_nodelay(true);
                let serving = serve(stream, settings.clone(), hosts.clone(), stop.clone());
                connections.spawn(async move {
                    if let Err(error) = serving.await {
                        tracing::debug!(%peer, %error, "connection of a port lost");
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "connection not accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Returns whether the clock of the runtime stands still, as after `tokio::time::pause`: then it differs from the system's.
#[expect(clippy::disallowed_methods, reason = "it is compared with the clock of the runtime")]
fn clock_is_paused() -> bool {
    let before = tokio::time::Instant::now().into_std();
    let now = std::time::Instant::now();
    let after = tokio::time::Instant::now().into_std();
    !(before..=after).contains(&now)
}

/// Converts an error of the system.
impl From<io::Error> for ListenError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
