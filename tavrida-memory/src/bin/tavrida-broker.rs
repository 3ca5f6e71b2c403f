//! The broker as a program: an AMQP 0-9-1 port for the tests of any language.

use std::error::Error;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use tavrida_memory::RabbitMq;
use tavrida_memory::port::{Definitions, Port};

/// An in-memory broker that behaves as RabbitMQ does, for tests. It keeps nothing on disk.
///
/// It prints the URI for clients when it accepts connections, and ends at SIGINT or SIGTERM, after it has closed them with 320.
#[derive(Debug, Parser)]
#[command(name = "tavrida-broker", version)]
struct Arguments {
    /// The port to listen on; 0 lets the system choose one.
    #[arg(long, default_value_t = 5672)]
    port: u16,
    /// The address to listen on.
    #[arg(long, default_value = "127.0.0.1")]
    address: IpAddr,
    /// Permits an address that other machines reach.
    #[arg(long)]
    listen_anywhere: bool,
    /// Virtual hosts, users, policies, exchanges, queues and bindings, as RabbitMQ exports them.
    #[arg(long, value_name = "FILE.json")]
    definitions: Option<PathBuf>,
    /// The version of RabbitMQ whose behaviour it has.
    #[arg(long, value_enum, default_value = "3.10")]
    like: Like,
}

/// A version of RabbitMQ.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Like {
    #[value(name = "3.10")]
    V3_10,
    #[value(name = "4.0")]
    V4_0,
}

impl From<Like> for RabbitMq {
    fn from(like: Like) -> Self {
        match like {
            Like::V3_10 => Self::V3_10,
            Like::V4_0 => Self::V4_0,
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_max_level(tracing::Level::WARN).init();
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{}", chain(&*error));
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let port = open(&arguments).await?;
    #[expect(clippy::print_stdout, reason = "the result of this program")]
    {
        println!("{}", port.uri());
    }
    ended().await?;
    port.shutdown().await;
    Ok(())
}

async fn open(arguments: &Arguments) -> Result<Port, Box<dyn Error>> {
    let text = arguments.definitions.as_ref().map(std::fs::read_to_string).transpose()?;
    let definitions = Definitions::parse(text.as_deref().unwrap_or("{}"))?;
    let mut port = definitions.port(arguments.like.into())?;
    if arguments.listen_anywhere {
        port = port.anywhere();
    }
    Ok(port.listen((arguments.address, arguments.port)).await?)
}

/// Waits for SIGINT or SIGTERM.
async fn ended() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            biased;
            interrupted = tokio::signal::ctrl_c() => interrupted,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

/// Returns an error with its causes.
fn chain(error: &dyn Error) -> String {
    let causes = std::iter::successors(Some(error), |error: &&dyn Error| (*error).source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
