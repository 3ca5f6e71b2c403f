//! Opens one connection. We own the socket, so that an attempt can time out and a hung connection can be cut.

use std::io;
use std::net::{Shutdown, TcpStream as StdTcpStream};
use std::pin::Pin;
use std::sync::Arc;

use async_compat::Compat;
use futures_util::Stream;
use lapin::tcp::AsyncTcpStream;
use lapin::uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo};
use lapin::{Connection, ConnectionProperties, Event};
use tavrida::transport::{BrokerError, ConnectionLost, SessionError};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::tls::encrypt;
use crate::config::{AmqpConfig, Host};
use crate::guard::{GuardedStream, Received, runtime};
use crate::wire::refused_at_connect;

/// One open connection.
pub(crate) struct OpenConnection {
    pub(crate) connection: Arc<Connection>,
    pub(crate) events: Pin<Box<dyn Stream<Item = Event> + Send>>,
    pub(crate) cut: Cut,
    pub(crate) received: Arc<Received>,
}

/// A handle that cuts a connection's socket, whatever the peer does: lapin then sees the end of the stream, and its thread ends.
pub(crate) struct Cut(StdTcpStream);

impl Cut {
    pub(crate) fn cut(&self) {
        // An error means that the socket is already closed.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

/// Connects to one host, within the configured time. `role` distinguishes the connections of a session.
///
/// Dropping the future cuts the connection.
pub(crate) async fn dial(
    config: &AmqpConfig,
    host: &Host,
    role: &str,
) -> Result<OpenConnection, SessionError> {
    check_names(config)?;
    let config = &AmqpConfig {
        frame_max: config.frame_max.map(|bytes| bytes.min(AmqpConfig::MAX_FRAME_MAX)),
        ..config.clone()
    };
    match timeout(config.connect_timeout, handshake_in_its_frames(config, host, role)).await {
        Ok(opened) => opened,
        Err(_) => Err(unreachable(host, format!("no answer within {:?}", config.connect_timeout))),
    }
}

/// Checks that AMQP can send the names: the client library panics at one that is too long.
fn check_names(config: &AmqpConfig) -> Result<(), SessionError> {
    for (what, name) in [("virtual host", &config.virtual_host), ("locale", &config.locale)] {
        if name.len() > AmqpConfig::MAX_NAME {
            let (bytes, beginning) = (name.len(), name.chars().take(64).collect::<String>());
            let text = format!(
                "NOT_ALLOWED - the {what} '{beginning}...' has {bytes} bytes, and AMQP sends at most {}",
                AmqpConfig::MAX_NAME
            );
            return Err(BrokerError::connection(530, text).into());
        }
    }
    Ok(())
}

fn unreachable(host: &Host, why: impl std::fmt::Display) -> SessionError {
    ConnectionLost::broken(format!("cannot connect to {host}: {why}")).into()
}

/// Connects again where the broker offers smaller frames than lapin would keep to: lapin keeps to a size that is configured.
async fn handshake_in_its_frames(
    config: &AmqpConfig,
    host: &Host,
    role: &str,
) -> Result<OpenConnection, SessionError> {
    let received = Arc::<Received>::default();
    let first = handshake(config, host, role, received.clone()).await;
    match received.small_frames() {
        Some(offered) => {
            let config = AmqpConfig { frame_max: Some(offered), ..config.clone() };
            handshake(&config, host, role, Arc::default()).await
        }
        None => first,
    }
}

async fn handshake(
    config: &AmqpConfig,
    host: &Host,
    role: &str,
    received: Arc<Received>,
) -> Result<OpenConnection, SessionError> {
    let (stream, cut) = socket(host).await.map_err(|error| unreachable(host, error))?;
    let mut guard = CutOnDrop(Some(cut));
    let mut stream = AsyncTcpStream::Plain(Compat::new(stream));
    if let Some(tls) = &config.tls {
        stream = encrypt(stream, tls, &host.name)
            .await
            .map_err(|error| unreachable(host, format!("TLS: {error}")))?;
    }
    let stream = GuardedStream::new(stream, config.frame_max.unwrap_or_default(), received.clone());
    let stream = parking_lot::Mutex::new(Some(AsyncTcpStream::Plain(stream)));
    let connect = async move |_, _| {
        let stream = stream.lock().take();
        // lapin asks again only for its recovery, which is off.
        stream.ok_or_else(|| io::Error::from(io::ErrorKind::NotConnected).into())
    };
    let connection = Connection::connector(uri(config, host), runtime(), connect, properties(config, role))
        .await
        .map_err(|error| match refused_at_connect(&error) {
            Some(refusal) => explained(refusal, config).into(),
            None => unreachable(host, before_login(config, &error)),
        })?;
    let channels = connection.configuration().channel_max();
    if channels < AmqpConfig::MIN_CHANNELS {
        let text = format!(
            "NOT_ALLOWED - {host} grants {channels} channels for a connection, and a session needs {}: raise its channel_max",
            AmqpConfig::MIN_CHANNELS
        );
        return Err(BrokerError::connection(530, text).into());
    }
    let events = Box::pin(connection.events_listener());
    let cut = guard.0.take().expect("it is taken here alone");
    Ok(OpenConnection { connection: Arc::new(connection), events, cut, received })
}

/// Explains the virtual host with the empty name, which hardly anyone means.
fn explained(mut refusal: BrokerError, config: &AmqpConfig) -> BrokerError {
    if config.virtual_host.is_empty() {
        let hint = "the virtual host has the empty name, as after a '/' at the end of a URI: the default one, '/', is written %2f, or \
                    without any '/'";
        refusal.text = format!("{} ({hint})", refusal.text);
    }
    refusal
}

/// Explains an error before the login. A broker verifies a client's certificate after the client's own handshake has completed: a rejected
/// certificate appears as a broken connection.
fn before_login(config: &AmqpConfig, error: &lapin::Error) -> String {
    match &config.tls {
        None => error.to_string(),
        Some(tls) if tls.identity.is_none() => {
            format!("{error}; no client certificate was shown, and the broker may require one")
        }
        Some(_) => format!("{error}; the broker may not accept the client certificate"),
    }
}

async fn socket(host: &Host) -> io::Result<(TcpStream, Cut)> {
    let stream = TcpStream::connect((host.name.as_str(), host.port)).await?;
    stream.set_nodelay(true)?;
    let stream = stream.into_std()?;
    let cut = Cut(stream.try_clone()?);
    Ok((TcpStream::from_std(stream)?, cut))
}

struct CutOnDrop(Option<Cut>);

impl Drop for CutOnDrop {
    fn drop(&mut self) {
        if let Some(cut) = &self.0 {
            cut.cut();
        }
    }
}

fn uri(config: &AmqpConfig, host: &Host) -> AMQPUri {
    AMQPUri {
        // We own the socket, encrypted or not.
        scheme: AMQPScheme::AMQP,
        authority: AMQPAuthority {
            userinfo: AMQPUserInfo { username: config.username.clone(), password: config.password.clone() },
            host: host.name.clone(),
            port: host.port,
        },
        vhost: config.virtual_host.clone(),
        query: AMQPQueryString {
            frame_max: config.frame_max,
            channel_max: config.channel_max,
            heartbeat: config.heartbeat,
            auth_mechanism: Some(config.mechanism.sasl()),
            ..AMQPQueryString::default()
        },
    }
}

fn properties(config: &AmqpConfig, role: &str) -> ConnectionProperties {
    let properties = ConnectionProperties::default().with_locale(config.locale.as_str().into());
    match &config.connection_name {
        Some(name) => properties.with_connection_name(format!("{name} ({role})").into()),
        None => properties,
    }
}
