//! A wire between a client and its broker that a test can cut, hold and throttle.

mod connection;
mod rules;

use std::{
    io, mem,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
    time,
};

use self::{connection::Connection, rules::Rules};
use super::{
    admin::uri,
    error::{Error, Result},
    node::Node,
    ports::listen_anywhere,
};

const ACCEPT_AGAIN: Duration = Duration::from_millis(10);

/// A TCP proxy on loopback in front of a node.
///
/// ```no_run
/// # async fn example() -> tavrida_testkit::rabbitmq::Result<()> {
/// use tavrida_testkit::rabbitmq::{Node, Proxy};
///
/// let node = Node::start().await?;
/// let proxy = Proxy::to(&node).await?;
/// println!("connect to {}", proxy.uri());
/// proxy.cut().await; // every connection is reset, new ones are welcome
/// proxy.refuse().await; // new connections are refused
/// proxy.accept().await?;
/// proxy.hold(); // connections stay open and nothing passes
/// proxy.release();
/// # Ok(())
/// # }
/// ```
///
/// It keeps its port while it refuses. Its tasks belong to the runtime in which it was made; dropping it ends
/// them, and with them its connections.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    target: SocketAddr,
    rules: Arc<Rules>,
    connections: Arc<Mutex<JoinSet<()>>>,
    acceptor: Mutex<Option<Acceptor>>,
}

impl Proxy {
    /// Starts a proxy to the AMQP port of `node`.
    ///
    /// # Errors
    /// No free port could be listened on.
    pub async fn to(node: &Node) -> Result<Self> {
        Self::to_address((Ipv4Addr::LOCALHOST, node.port()).into()).await
    }

    /// Starts a proxy to any address. Nobody has to listen there yet: a client is reset while nobody does.
    ///
    /// # Errors
    /// No free port could be listened on.
    pub async fn to_address(target: SocketAddr) -> Result<Self> {
        let (listener, port) = listen().map_err(|e| Error::io("listening as a proxy", e))?;
        let proxy = Self {
            port,
            target,
            rules: Arc::default(),
            connections: Arc::default(),
            acceptor: Mutex::new(None),
        };
        proxy.accept_from(listener);
        Ok(proxy)
    }

    /// The port of 127.0.0.1 that clients connect to.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address of the default virtual host by way of this proxy, for the user guest.
    #[must_use]
    pub fn uri(&self) -> String {
        self.uri_for("/")
    }

    /// The address of a virtual host by way of this proxy, for the user guest.
    #[must_use]
    pub fn uri_for(&self, vhost: &str) -> String {
        uri(self.port, vhost)
    }

    /// Resets all current connections, in both directions, and waits until they are closed. What was on its
    /// way is lost. New connections are treated as before.
    ///
    /// Cancel safe: dropping the future does not save a connection.
    pub async fn cut(&self) {
        let mut connections = mem::take(&mut *lock(&self.connections));
        connections.shutdown().await;
    }

    /// From now on nobody listens: new connections are refused. Current ones go on.
    ///
    /// Dropping the future leaves the listener closing.
    pub async fn refuse(&self) {
        let acceptor = lock(&self.acceptor).take();
        if let Some(acceptor) = acceptor {
            acceptor.end().await;
        }
    }

    /// Takes new connections again after [`refuse`](Self::refuse), at the same port.
    ///
    /// # Errors
    /// Somebody else took the port in between.
    pub async fn accept(&self) -> Result<()> {
        if lock(&self.acceptor).is_some() {
            return Ok(());
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, self.port)).await;
        self.accept_from(
            listener.map_err(|e| Error::io(format!("listening again on port {}", self.port), e))?,
        );
        Ok(())
    }

    /// Nothing passes any more, in either direction, not even the end of a connection: the peers see silence,
    /// as behind a firewall that drops packets. At most 16 KiB a direction that were read already wait in the
    /// proxy.
    pub fn hold(&self) {
        self.rules.change(|rules| rules.held = true);
    }

    /// Lets everything pass again after [`hold`](Self::hold), in order, nothing missing.
    pub fn release(&self) {
        self.rules.change(|rules| rules.held = false);
    }

    /// Lets at most so many bytes a second pass, in each direction of each connection; 0 lets none.
    pub fn throttle(&self, bytes_per_second: u64) {
        self.rules.change(|rules| rules.bytes_per_second = Some(bytes_per_second));
    }

    /// Lets bytes pass as fast as they come again after [`throttle`](Self::throttle).
    pub fn unthrottle(&self) {
        self.rules.change(|rules| rules.bytes_per_second = None);
    }

    /// How many connections are open now.
    #[must_use]
    pub fn connections(&self) -> usize {
        let mut connections = lock(&self.connections);
        forget_ended(&mut connections);
        connections.len()
    }

    /// Refuses new connections, cuts the current ones, and waits until all are closed.
    pub async fn close(self) {
        self.refuse().await;
        self.cut().await;
    }

    fn accept_from(&self, listener: TcpListener) {
        let (target, rules, connections) = (self.target, self.rules.clone(), self.connections.clone());
        let accepting = async move {
            loop {
                let Ok((client, _)) = listener.accept().await else {
                    // This process may be short of file descriptors; others will be closed.
                    time::sleep(ACCEPT_AGAIN).await;
                    continue;
                };
                let mut connections = lock(&connections);
                forget_ended(&mut connections);
                connections.spawn(forward(client, target, rules.clone()));
            }
        };
        *lock(&self.acceptor) = Some(Acceptor(tokio::spawn(accepting)));
    }
}

/// The task that accepts; it ends with this value.
#[derive(Debug)]
struct Acceptor(JoinHandle<()>);

impl Acceptor {
    async fn end(mut self) {
        self.0.abort();
        // Aborted by the line above: there is nothing to learn from its result.
        let _ = (&mut self.0).await;
    }
}

impl Drop for Acceptor {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn forward(client: TcpStream, target: SocketAddr, rules: Arc<Rules>) {
    if let Ok(server) = TcpStream::connect(target).await {
        Connection::new(client, server).run(&rules).await;
    } else {
        // The client sees a reset rather than an orderly end, which a broker would have explained.
        let _ = client.set_zero_linger();
    }
}

fn listen() -> io::Result<(TcpListener, u16)> {
    let listener = listen_anywhere().map_err(io::Error::other)?;
    listener.set_nonblocking(true)?;
    let port = listener.local_addr()?.port();
    Ok((TcpListener::from_std(listener)?, port))
}

fn forget_ended(connections: &mut JoinSet<()>) {
    while connections.try_join_next().is_some() {}
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while it holds one of these locks half-way through a change.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
