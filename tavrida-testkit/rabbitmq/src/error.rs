//! Errors of private nodes, with texts that say what to do.

use std::{error, fmt, io, path::PathBuf, time::Duration};

/// The environment variable that points all tests at another installation: the folder of its scripts.
pub(crate) const FOLDER_VARIABLE: &str = "TAVRIDA_RABBITMQ";

/// How the logs of RabbitMQ and `epmd` report a port that is in use.
const ADDRESS_IN_USE: [&str; 3] = ["eaddrinuse", "dist_port_already_used", "Address already in use"];

/// Why a node, a cluster or one of their operations failed.
///
/// [`Display`](fmt::Display) says what to do about it; the error of a node that did not boot has the tail of its log.
#[derive(Debug)]
pub struct Error(Box<Kind>);

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug)]
pub(crate) enum Kind {
    NotInstalled { program: &'static str, looked_in: Vec<PathBuf> },
    Io { doing: String, source: io::Error },
    Boot { node: String, why: String, log: String },
    NotRunning { node: String },
    Running { node: String },
    TimedOut { doing: String, limit: Duration },
    Refused { asked: String, answer: String },
}

impl Error {
    /// Returns whether RabbitMQ, or Erlang's `epmd`, is not installed on this machine.
    #[must_use]
    pub fn is_not_installed(&self) -> bool {
        matches!(*self.0, Kind::NotInstalled { .. })
    }

    /// Returns whether the node's processes started and the broker did not come up.
    #[must_use]
    pub fn is_boot(&self) -> bool {
        matches!(*self.0, Kind::Boot { .. })
    }

    /// Returns whether the node should run and does not: it was stopped or killed, or it ended.
    #[must_use]
    pub fn is_not_running(&self) -> bool {
        matches!(*self.0, Kind::NotRunning { .. })
    }

    /// Returns whether the node should be down and runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        matches!(*self.0, Kind::Running { .. })
    }

    /// Returns whether an answer did not come in time: a paused node does not answer.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(*self.0, Kind::TimedOut { .. })
    }

    /// Returns whether the node, or its command line tool, answered with a failure.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        matches!(*self.0, Kind::Refused { .. })
    }

    pub(crate) fn io(doing: impl Into<String>, source: io::Error) -> Self {
        Kind::Io { doing: doing.into(), source }.into()
    }

    pub(crate) fn timed_out(doing: impl Into<String>, limit: Duration) -> Self {
        Kind::TimedOut { doing: doing.into(), limit }.into()
    }

    /// Returns whether another process took the port between its choice and the boot.
    pub(crate) fn is_address_in_use(&self) -> bool {
        let taken = |log: &str| ADDRESS_IN_USE.iter().any(|sign| log.contains(sign));
        matches!(&*self.0, Kind::Boot { log, .. } if taken(log))
    }
}

impl From<Kind> for Error {
    fn from(kind: Kind) -> Self {
        Self(Box::new(kind))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Kind::NotInstalled { program, looked_in } => write_not_installed(f, program, looked_in),
            Kind::Io { doing, .. } => write!(f, "{doing} failed"),
            Kind::Boot { node, why, log } => {
                write!(f, "RabbitMQ node {node} did not boot: {why}; the end of its log:\n{log}")
            }
            Kind::NotRunning { node } => {
                write!(f, "RabbitMQ node {node} is not running: call start_again first")
            }
            Kind::Running { node } => write!(f, "RabbitMQ node {node} runs already: stop or kill it first"),
            Kind::TimedOut { doing, limit } => {
                write!(
                    f,
                    "{doing} did not finish within {limit:?} (is the node paused or the machine overloaded?)"
                )
            }
            Kind::Refused { asked, answer } => write!(f, "RabbitMQ refused `{asked}`: {answer}"),
        }
    }
}

fn write_not_installed(f: &mut fmt::Formatter<'_>, program: &str, looked_in: &[PathBuf]) -> fmt::Result {
    write!(
        f,
        "`{program}` is not installed: install RabbitMQ with `apt-get install rabbitmq-server` (Debian, \
         Ubuntu) or `brew install rabbitmq` (macOS), or name the folder of its scripts in the \
         environment variable {FOLDER_VARIABLE} or with `Node::builder().scripts(..)`; looked in"
    )?;
    for folder in looked_in {
        write!(f, " {}", folder.display())?;
    }
    Ok(())
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match &*self.0 {
            Kind::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
