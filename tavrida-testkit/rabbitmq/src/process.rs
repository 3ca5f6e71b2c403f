//! Child processes identified by their ids, and the watchdog that ends them when their owner cannot.

use std::{
    ffi::OsStr,
    fs, io,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use crate::error::{Error, Result};

/// Writes the id before the program itself starts, so that the watchdog knows every process that ever ran. If the folder is already
/// deleted, the owner has ended, and nothing starts.
const WRITE_ID_AND_BECOME: &str = r#"echo $$ >"$1" && shift && exec "$@""#;

/// A child process. Dropping it kills the process and waits until it has ended (a matter of milliseconds).
///
/// It belongs to no runtime: nodes outlive the test that started them, and its runtime.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    id_file: PathBuf,
}

impl Process {
    /// Starts `command` in its own process group (the owner handles a Ctrl-C at the terminal), with its output appended to `log` and its id
    /// written to `id_file`.
    pub(crate) fn spawn(command: &Command, id_file: PathBuf, log: &Path) -> Result<Self> {
        let doing = || format!("starting {}", command.get_program().display());
        let output = fs::File::options().create(true).append(true).open(log);
        let output = output.map_err(|e| Error::io(format!("opening {}", log.display()), e))?;
        let errors = output.try_clone().map_err(|e| Error::io(doing(), e))?;
        let child = through_shell(command, &id_file).stdout(output).stderr(errors).spawn();
        Ok(Self { child: child.map_err(|e| Error::io(doing(), e))?, id_file })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends `signal`. The id cannot belong to another process: the child has not been waited for yet.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        let sent = kill_process(Pid::from_child(&self.child), signal);
        sent.map_err(|e| Error::io(format!("sending {signal:?} to process {}", self.id()), e.into()))
    }

    /// Stops it, and waits until all of its threads have stopped: the signal alone comes back before that.
    pub(crate) fn freeze(&self) -> Result<()> {
        self.signal(Signal::STOP)?;
        let stopped_or_ended = WaitIdOptions::STOPPED | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        waitid(WaitId::Pid(Pid::from_child(&self.child)), stopped_or_ended)
            .map_err(|e| Error::io(format!("waiting until process {} has stopped", self.id()), e.into()))?;
        Ok(())
    }

    pub(crate) fn has_ended(&mut self) -> io::Result<bool> {
        let ended = self.child.try_wait()?.is_some();
        if ended {
            self.forget_id();
        }
        Ok(ended)
    }

    fn forget_id(&self) {
        // Already deleted if the whole folder was deleted first.
        let _ = fs::remove_file(&self.id_file);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only if the process has already been waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.forget_id();
    }
}

fn through_shell(command: &Command, id_file: &Path) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell
        .args(["-c", WRITE_ID_AND_BECOME, "sh"])
        .arg(id_file)
        .arg(command.get_program())
        .args(command.get_args());
    shell.env_clear().envs(set_variables(command));
    if let Some(folder) = command.get_current_dir() {
        shell.current_dir(folder);
    }
    shell.stdin(Stdio::null()).process_group(0);
    shell
}

fn set_variables(command: &Command) -> impl Iterator<Item = (&OsStr, &OsStr)> {
    command.get_envs().filter_map(|(name, value)| Some((name, value?)))
}

/// Waits for the end of its input, which is the end of its owner, for whatever reason; then ends the remaining processes.
const WATCH: &str = r#"
read -r _
for id in "$1"/*.pid; do
    [ -f "$id" ] && kill -KILL "$(cat "$id")"
done
for _ in 1 2 3 4 5; do
    rm -rf "$1" && break
    sleep 0.1
done
"#;

/// A shell that outlives its owner just long enough to kill the owner's processes and to remove its folder.
///
/// It covers what `Drop` cannot: a test process that is killed, and statics, which are never dropped.
#[derive(Debug)]
pub(crate) struct Watchdog {
    shell: Child,
}

impl Watchdog {
    /// Watches `folder`: its `*.pid` files name the processes to kill; the folder is removed at the end.
    pub(crate) fn over(folder: &Path) -> Result<Self> {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", WATCH, "tavrida-rabbitmq-watchdog"]).arg(folder).current_dir("/").process_group(0);
        shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self { shell: shell.spawn().map_err(|e| Error::io("starting /bin/sh as a watchdog", e))? })
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        // It fails only if the shell has already been waited for.
        let _ = self.shell.wait();
    }
}
