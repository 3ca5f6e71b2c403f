//! A fast control channel into a running node: Erlang expressions over a socket in the node's folder.
//!
//! `rabbitmqctl` boots an Erlang VM for each call; the socket answers in less than a millisecond.

use std::{
    io::{self, Write},
    os::unix::net::UnixStream as BlockingStream,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    time,
};

use crate::error::{Error, Kind, Result};

/// The limit of operating systems for the path of a socket (104 on macOS, 108 on Linux, including the final zero).
const LONGEST_PATH: usize = 103;
const LIMIT: Duration = Duration::from_secs(30);
const VALUE: u8 = 0;

#[derive(Debug)]
pub(crate) struct Control {
    socket: PathBuf,
}

impl Control {
    pub(crate) fn new(socket: PathBuf) -> Result<Self> {
        if socket.as_os_str().len() > LONGEST_PATH {
            let why = format!(
                "{} has more than {LONGEST_PATH} bytes: set TMPDIR to a shorter folder",
                socket.display()
            );
            let source = io::Error::new(io::ErrorKind::InvalidInput, why);
            return Err(Error::io("choosing the path of a node's socket", source));
        }
        Ok(Self { socket })
    }

    /// Returns the code that the VM runs once the broker has booted.
    pub(crate) fn erlang(&self) -> String {
        let code = include_str!("control.erl").replace("CONTROL_SOCKET", &erlang_string(&self.socket));
        // The VM takes the code as one argument of its command line.
        code.lines().filter(|line| !line.starts_with('%')).collect::<Vec<_>>().join(" ")
    }

    /// Evaluates `expression` in the VM. Returns its value as Erlang prints it (`~p`).
    pub(crate) async fn eval(&self, expression: &str) -> Result<String> {
        let asked = time::timeout(LIMIT, self.ask(expression)).await;
        let answer = asked.map_err(|_| Error::timed_out(format!("evaluating `{expression}`"), LIMIT))?;
        match answer.map_err(|e| Error::io(format!("evaluating `{expression}`"), e))? {
            (VALUE, value) => Ok(value),
            (_, answer) => Err(Kind::Refused { asked: expression.to_owned(), answer }.into()),
        }
    }

    async fn ask(&self, expression: &str) -> io::Result<(u8, String)> {
        let mut stream = UnixStream::connect(&self.socket).await?;
        stream.write_all(&frame(expression)).await?;
        let length = stream.read_u32().await?;
        let mut answer = vec![0; length as usize];
        stream.read_exact(&mut answer).await?;
        let text = String::from_utf8_lossy(answer.get(1..).unwrap_or_default());
        Ok((answer.first().copied().unwrap_or(VALUE), text.into_owned()))
    }

    /// Sends `expression` to the VM without waiting for its evaluation: for `Drop`.
    pub(crate) fn tell(&self, expression: &str) -> io::Result<()> {
        let mut stream = BlockingStream::connect(&self.socket)?;
        stream.write_all(&frame(expression))
    }
}

fn frame(expression: &str) -> Vec<u8> {
    let text = format!("{}.", expression.trim_end().trim_end_matches('.'));
    let length = u32::try_from(text.len()).expect("an expression is far shorter than 4 GiB");
    [&length.to_be_bytes(), text.as_bytes()].concat()
}

fn erlang_string(path: &Path) -> String {
    format!("\"{}\"", path.display().to_string().replace('\\', "\\\\").replace('"', "\\\""))
}

/// Returns an Erlang binary of exactly these bytes, whatever characters they are.
pub(crate) fn erlang_binary(text: &str) -> String {
    let bytes: Vec<_> = text.bytes().map(|byte| byte.to_string()).collect();
    format!("<<{}>>", bytes.join(","))
}
