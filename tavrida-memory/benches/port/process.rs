//! [`Process`]: `tavrida-broker` as a child.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use tavrida_memory::RabbitMq;

/// A running `tavrida-broker`. Dropping it ends it.
pub(crate) struct Process {
    child: Child,
    pub(crate) uri: String,
}

impl Process {
    /// Starts it on a free port, and returns when it has printed its URI.
    pub(crate) fn start(version: RabbitMq) -> Self {
        let like = if version == RabbitMq::V3_10 { "3.10" } else { "4.0" };
        let mut child = Command::new(env!("CARGO_BIN_EXE_tavrida-broker"))
            .args(["--port", "0", "--like", like])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut uri = String::new();
        let output = child.stdout.take().expect("it is piped");
        BufReader::new(output).read_line(&mut uri).expect("it prints its URI");
        Self { child, uri: uri.trim().to_owned() }
    }

    /// Returns host and port, as in the URI.
    pub(crate) fn address(&self) -> &str {
        let (_, behind) = self.uri.split_once('@').expect("a URI with a login");
        behind.split_once('/').map_or(behind, |(address, _)| address)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It fails for a process that has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
