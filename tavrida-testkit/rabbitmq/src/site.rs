//! What nodes of one cluster share: one folder, one cookie, one `epmd`, one watchdog.

use std::{
    fs,
    net::Ipv4Addr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use tempfile::TempDir;
use tokio::{net::TcpStream, time};

use crate::{
    error::{Error, Kind, Result},
    install::Installation,
    ports::free_ports,
    process::{Process, Watchdog},
};

const POLL: Duration = Duration::from_millis(5);
/// `epmd` listens within milliseconds; a loaded machine gets more time.
const EPMD_LIMIT: Duration = Duration::from_secs(10);
/// Another process may take the port between its choice and its use.
const ATTEMPTS: usize = 3;

/// For every Erlang VM, including the tools': two schedulers suit a machine that is shared with tests; the VM starts no `epmd`;
/// other nodes are accepted on loopback only.
const ERL_FLAGS: &str = "+S 2:2 -start_epmd false -kernel inet_dist_use_interface {127,0,0,1}";

/// The fields are dropped in this order: first the process, then its folder, then the watchdog of both.
#[derive(Debug)]
pub(crate) struct Site {
    epmd: Process,
    epmd_port: u16,
    cookie: String,
    installation: Installation,
    folder: TempDir,
    _watchdog: Watchdog,
}

impl Site {
    /// Creates the folder and starts `epmd`. Dropping the future ends what it started.
    pub(crate) async fn start(scripts: Option<&Path>) -> Result<Self> {
        let installation = Installation::find(scripts)?;
        let folder = tempfile::Builder::new().prefix("tavrida-rabbitmq-").tempdir();
        let folder = folder.map_err(|e| Error::io("making a folder for RabbitMQ", e))?;
        let watchdog = Watchdog::over(folder.path())?;
        let cookie: String = std::iter::repeat_with(fastrand::alphanumeric).take(24).collect();
        write_cookie(folder.path(), &cookie)?;
        let (epmd, epmd_port) = start_epmd(&installation, folder.path()).await?;
        Ok(Self { epmd, epmd_port, cookie, installation, folder, _watchdog: watchdog })
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the random part of the folder's name.
    pub(crate) fn random_name(&self) -> String {
        let name = self.folder().file_name().unwrap_or_default().to_string_lossy();
        name.rsplit('-').next().unwrap_or_default().to_owned()
    }

    pub(crate) fn epmd_id(&self) -> u32 {
        self.epmd.id()
    }

    pub(crate) fn epmd_port(&self) -> u16 {
        self.epmd_port
    }

    pub(crate) fn cookie(&self) -> &str {
        &self.cookie
    }

    /// Returns the command of RabbitMQ's server, with only the environment of this site.
    pub(crate) fn server(&self) -> Command {
        self.command(&self.installation.server)
    }

    /// Returns the command of RabbitMQ's command line tool, with only the environment of this site.
    pub(crate) fn ctl(&self) -> Command {
        let mut ctl = self.command(&self.installation.ctl);
        // Port 0 is any free one; the default range of eleven ports is shared by the whole machine.
        ctl.env("RABBITMQ_CTL_DIST_PORT_MIN", "0").env("RABBITMQ_CTL_DIST_PORT_MAX", "0");
        ctl
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        isolate(&mut command, self.folder(), self.epmd_port);
        command.env("ERL_FLAGS", ERL_FLAGS);
        command
    }
}

fn write_cookie(folder: &Path, cookie: &str) -> Result<()> {
    let file = folder.join(".erlang.cookie");
    let written = fs::write(&file, cookie);
    // Erlang refuses a cookie that others could read.
    let written = written.and_then(|()| fs::set_permissions(&file, fs::Permissions::from_mode(0o400)));
    written.map_err(|e| Error::io(format!("writing {}", file.display()), e))
}

/// Clears the environment (the user's own RABBITMQ_ and ERL_ variables must not reach a private node).
fn isolate(command: &mut Command, folder: &Path, epmd_port: u16) {
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    command.env_clear().env("PATH", path).env("HOME", folder).env("LANG", "C.UTF-8").current_dir(folder);
    command.env("ERL_EPMD_ADDRESS", "127.0.0.1").env("ERL_EPMD_PORT", epmd_port.to_string());
    // No such file: the machine-wide one is not read.
    command.env("RABBITMQ_CONF_ENV_FILE", folder.join("rabbitmq-env.conf"));
    // A dump of a dead VM costs seconds; the log has the reason.
    command.env("ERL_CRASH_DUMP_BYTES", "0");
}

async fn start_epmd(installation: &Installation, folder: &Path) -> Result<(Process, u16)> {
    for _ in 1..ATTEMPTS {
        if let Ok(started) = try_start_epmd(installation, folder).await {
            return Ok(started);
        }
    }
    try_start_epmd(installation, folder).await
}

async fn try_start_epmd(installation: &Installation, folder: &Path) -> Result<(Process, u16)> {
    let [port] = free_ports()?;
    let mut command = Command::new(&installation.epmd);
    isolate(&mut command, folder, port);
    let log = folder.join("epmd.log");
    let mut epmd = Process::spawn(&command, folder.join("epmd.pid"), &log)?;
    let listening = time::timeout(EPMD_LIMIT, wait_for_epmd(&mut epmd, port, &log)).await;
    listening.unwrap_or_else(|_| Err(Error::timed_out("starting epmd", EPMD_LIMIT)))?;
    Ok((epmd, port))
}

async fn wait_for_epmd(epmd: &mut Process, port: u16, log: &PathBuf) -> Result<()> {
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_err() {
        if epmd.has_ended().map_err(|e| Error::io("waiting for epmd", e))? {
            let log = fs::read_to_string(log).unwrap_or_default();
            return Err(
                Kind::Boot { node: "epmd".into(), why: format!("epmd ended on port {port}"), log }.into()
            );
        }
        time::sleep(POLL).await;
    }
    Ok(())
}
