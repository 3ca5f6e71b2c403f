//! One private node, from `start` to `drop`.

use std::{net::Ipv4Addr, path::PathBuf, sync::Arc, time::Duration};

use parking_lot::Mutex;
use rustix::process::Signal;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time,
};

use crate::{
    control::Control,
    error::{Error, Kind, Result},
    layout::Layout,
    options::NodeBuilder,
    ports::free_ports,
    process::Process,
    site::Site,
    version::Version,
};

/// The polling interval for a booting or an ending node.
const POLL: Duration = Duration::from_millis(20);
/// RabbitMQ closes queues in an orderly way before it ends.
const STOP_LIMIT: Duration = Duration::from_secs(60);
/// Another process may take a port between its choice and the boot.
const ATTEMPTS: usize = 3;

/// A RabbitMQ node private to this process.
///
/// All its processes listen on loopback only, its files are in one temporary folder, and it has its own `epmd` and Erlang cookie: any
/// number of nodes, in any number of test processes, are independent. Its methods take `&self`, so that one task can kill or pause the node
/// while others use it.
///
/// Dropping it kills its processes and removes its folder. The same happens when this process ends, even if it is killed.
///
/// The methods need a tokio runtime with I/O and time whose clock is not paused; the node itself belongs to no runtime.
#[derive(Debug)]
pub struct Node {
    vm: Mutex<Option<Process>>,
    pub(crate) control: Control,
    pub(crate) layout: Layout,
    pub(crate) site: Arc<Site>,
    boot_limit: Duration,
    pub(crate) version: Version,
}

impl Node {
    /// Starts a node with default options: see [`NodeBuilder::start`].
    ///
    /// # Errors
    /// As [`NodeBuilder::start`].
    pub async fn start() -> Result<Self> {
        Self::builder().start().await
    }

    /// Returns options for a node.
    pub fn builder() -> NodeBuilder {
        NodeBuilder::new()
    }

    pub(crate) async fn start_on(site: Arc<Site>, options: NodeBuilder) -> Result<Self> {
        for _ in 1..ATTEMPTS {
            match Self::try_start_on(site.clone(), &options).await {
                Err(error) if error.is_address_in_use() => {}
                done => return done,
            }
        }
        Self::try_start_on(site, &options).await
    }

    async fn try_start_on(site: Arc<Site>, options: &NodeBuilder) -> Result<Self> {
        let name = options.name_on(&site);
        let layout = Layout::write(&site, &name, free_ports()?, options)?;
        let control = Control::new(layout.control_socket())?;
        let (vm, boot_limit) = (Mutex::new(None), options.boot_limit);
        let mut node = Self { vm, control, layout, site, boot_limit, version: Version::default() };
        node.start_again().await?;
        let version = node.eval("{ok, Version} = application:get_key(rabbit, vsn), Version").await?;
        node.version = version.trim_matches('"').parse()?;
        Ok(node)
    }

    /// Starts the node again after [`stop`](Self::stop), [`kill`](Self::kill) or a crash, with the same name, port and data, and waits
    /// until it accepts AMQP connections.
    ///
    /// If the future is dropped, the node continues to boot.
    ///
    /// # Errors
    /// The node already runs, or it did not boot: the error has the tail of its log.
    pub async fn start_again(&self) -> Result<()> {
        self.spawn()?;
        self.ready().await
    }

    /// Waits until the node accepts AMQP connections, up to the boot limit. Cancel safe.
    ///
    /// # Errors
    /// The node ended, or it did not become ready within the limit: the error has the tail of its log.
    pub async fn ready(&self) -> Result<()> {
        let ready = time::timeout(self.boot_limit, async {
            while !self.accepts().await {
                if !self.is_running() {
                    return Err(self.boot_error("its process ended".into()));
                }
                time::sleep(POLL).await;
            }
            Ok(())
        });
        let late = |_| Err(self.boot_error(format!("it was not ready after {:?}", self.boot_limit)));
        ready.await.unwrap_or_else(late)
    }

    /// Stops the node in an orderly way and waits until its process has ended. A paused node is resumed first; a node that does not run is
    /// left alone.
    ///
    /// If the future is dropped, the node continues to stop.
    ///
    /// # Errors
    /// It did not end within a minute.
    pub async fn stop(&self) -> Result<()> {
        if self.is_running() {
            self.signal(Signal::TERM)?;
            self.signal(Signal::CONT)?;
        }
        let ended = time::timeout(STOP_LIMIT, self.ended()).await;
        ended.map_err(|_| Error::timed_out(format!("stopping {}", self.name()), STOP_LIMIT))
    }

    /// Kills the node (SIGKILL), like a power failure, and waits until its process has ended. A node that does not run is left alone.
    ///
    /// What RabbitMQ had confirmed is on disk; the rest may be lost. If the future is dropped, the node still dies.
    ///
    /// # Errors
    /// The signal could not be sent.
    pub async fn kill(&self) -> Result<()> {
        if self.is_running() {
            self.signal(Signal::KILL)?;
        }
        self.ended().await;
        Ok(())
    }

    /// Calls [`stop`](Self::stop), then [`start_again`](Self::start_again).
    ///
    /// # Errors
    /// As these two.
    pub async fn restart(&self) -> Result<()> {
        self.stop().await?;
        self.start_again().await
    }

    /// Freezes the node (SIGSTOP): its connections stay open and the kernel continues to accept new ones, but nothing answers, including
    /// the node's own control, until [`resume`](Self::resume). It has stopped when this returns.
    ///
    /// # Errors
    /// The node does not run.
    pub fn pause(&self) -> Result<()> {
        self.must_run()?;
        self.vm.lock().as_ref().map_or(Ok(()), Process::freeze)
    }

    /// Resumes a paused node (SIGCONT).
    ///
    /// # Errors
    /// The node does not run.
    pub fn resume(&self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    /// Returns whether the node's Erlang VM is alive, paused or not.
    #[must_use]
    pub fn is_running(&self) -> bool {
        is_alive(&mut self.vm.lock())
    }

    /// Returns the process id of the node's Erlang VM, while it is alive.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        let mut vm = self.vm.lock();
        is_alive(&mut vm);
        vm.as_ref().map(Process::id)
    }

    /// Returns the process id of the node's `epmd`, Erlang's name server.
    #[must_use]
    pub fn epmd_pid(&self) -> u32 {
        self.site.epmd_id()
    }

    /// Returns the node's log, over all its restarts. The file is deleted with the node.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.layout.log()
    }

    fn spawn(&self) -> Result<()> {
        let mut vm = self.vm.lock();
        if is_alive(&mut vm) {
            return Err(Kind::Running { node: self.name().to_owned() }.into());
        }
        let mut server = self.site.server();
        self.layout.apply(&mut server, &self.control.erlang());
        *vm = Some(Process::spawn(&server, self.layout.id_file(), &self.layout.log())?);
        Ok(())
    }

    /// The control answers only in this node's VM and only after its boot, so it cannot be another process on the port.
    async fn accepts(&self) -> bool {
        self.control.eval("booted").await.is_ok() && shakes_hands(self.port()).await.unwrap_or(false)
    }

    async fn ended(&self) {
        while self.is_running() {
            time::sleep(POLL).await;
        }
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        self.must_run()?;
        self.vm.lock().as_ref().map_or(Ok(()), |vm| vm.signal(signal))
    }

    pub(crate) fn must_run(&self) -> Result<()> {
        if self.is_running() {
            return Ok(());
        }
        Err(Kind::NotRunning { node: self.name().to_owned() }.into())
    }

    fn boot_error(&self, why: String) -> Error {
        Kind::Boot { node: self.name().to_owned(), why, log: self.layout.log_tail() }.into()
    }
}

impl NodeBuilder {
    /// Starts the node and waits until it accepts AMQP connections.
    ///
    /// Cancel safe: dropping the future ends every process it started.
    ///
    /// # Errors
    /// RabbitMQ is not installed, or the node did not boot: the error has the tail of its log.
    pub async fn start(self) -> Result<Node> {
        let site = Arc::new(Site::start(self.scripts.as_deref()).await?);
        Node::start_on(site, self).await
    }
}

/// Drops a process that has ended.
fn is_alive(vm: &mut Option<Process>) -> bool {
    if vm.as_mut().is_some_and(|vm| vm.has_ended().unwrap_or(true)) {
        *vm = None;
    }
    vm.is_some()
}

/// Opens an AMQP connection up to the broker's first frame, which is a method frame (type 1).
async fn shakes_hands(port: u16) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    stream.write_all(b"AMQP\0\0\x09\x01").await?;
    Ok(stream.read_u8().await? == 1)
}
