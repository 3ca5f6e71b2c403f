//! A proxy between a client and its broker that a test can cut, hold and throttle.

mod connection;
mod rules;

use std::{
    io, mem,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use parking_lot::{Mutex, MutexGuard};
use tokio::{
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
    time,
};

use self::{connection::Connection, rules::Rules};
use crate::{
    admin::uri,
    error::{Error, Result},
    node::Node,
    ports::listen_anywhere,
};

const ACCEPT_AGAIN: Duration = Duration::from_millis(10);

/// A TCP proxy on loopback in front of a node.
///
/// ```no_run
/// # async fn example() -> tavrida_rabbitmq::Result<()> {
/// use tavrida_rabbitmq::{Node, Proxy};
///
/// let node = Node::start().await?;
/// let proxy = Proxy::to(&node).await?;
/// println!("connect to {}", proxy.uri());
/// proxy.cut().await; // every connection is reset, new ones are accepted
/// proxy.refuse().await; // new connections are refused
/// proxy.accept().await?;
/// proxy.hold(); // connections stay open and nothing passes
/// proxy.release();
/// # Ok(())
/// # }
/// ```
///
/// It keeps its port while it refuses connections. Its tasks belong to the runtime in which it was created; dropping it ends them and their
/// connections.
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

    /// Starts a proxy to any address. The target need not listen yet: clients are reset until it does.
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

    /// Returns the port of 127.0.0.1 that clients connect to.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the address of the default virtual host through this proxy, for the user guest.
    #[must_use]
    pub fn uri(&self) -> String {
        self.uri_for("/")
    }

    /// Returns the address of a virtual host through this proxy, for the user guest.
    #[must_use]
    pub fn uri_for(&self, vhost: &str) -> String {
        uri(self.port, vhost)
    }

    /// Resets all current connections, in both directions, and waits until they are closed. What was in transit is lost. New connections
    /// are treated as before.
    ///
    /// Cancel safe: connections are cut even if the future is dropped.
    pub async fn cut(&self) {
        let mut connections = mem::take(&mut *lock(&self.connections));
        connections.shutdown().await;
    }

    /// Refuses new connections from now on. Current ones continue.
    ///
    /// If the future is dropped, the listener still closes.
    pub async fn refuse(&self) {
        let acceptor = lock(&self.acceptor).take();
        if let Some(acceptor) = acceptor {
            acceptor.end().await;
        }
    }

    /// Accepts new connections again after [`refuse`](Self::refuse), at the same port.
    ///
    /// # Errors
    /// Another process took the port in between.
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

    /// Stops forwarding in both directions, including the end of a connection: the peers see silence, as behind a firewall that drops
    /// packets. At most 16 KiB for each direction that were already read wait in the proxy.
    pub fn hold(&self) {
        self.rules.change(|rules| rules.held = true);
    }

    /// Forwards everything again after [`hold`](Self::hold), in order and complete.
    pub fn release(&self) {
        self.rules.change(|rules| rules.held = false);
    }

    /// Limits the bytes a second in each direction of each connection; 0 stops them.
    pub fn throttle(&self, bytes_per_second: u64) {
        self.rules.change(|rules| rules.bytes_per_second = Some(bytes_per_second));
    }

    /// Removes the limit of [`throttle`](Self::throttle).
    pub fn unthrottle(&self) {
        self.rules.change(|rules| rules.bytes_per_second = None);
    }

    /// Returns how many connections are open now.
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
                    // This process may be short of file descriptors until others close.
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

/// The task that accepts connections; dropping this value ends it.
#[derive(Debug)]
struct Acceptor(JoinHandle<()>);

impl Acceptor {
    async fn end(mut self) {
        self.0.abort();
        // Aborted above: the result carries no information.
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
        // The client sees a reset and not an orderly end, which a broker would have explained.
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
    // Nothing panics while it holds one of these locks with a change half made.
    mutex.lock()
}
