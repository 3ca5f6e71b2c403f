//! A configuration while it is being read: from a URI, a file and the environment in turn.

use std::path::PathBuf;
use std::time::Duration;

use super::address::Address;
use super::{AmqpConfig, ConfigError, Host, Tls};

/// The settings so far. Later settings replace earlier ones, one by one.
#[derive(Clone)]
pub(super) struct Draft {
    pub(super) config: AmqpConfig,
    addresses: Vec<Address>,
    /// The port of addresses without one.
    pub(super) port: Option<u16>,
    encryption: Encryption,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
}

/// Whether the connection is encrypted.
#[derive(Clone, PartialEq)]
enum Encryption {
    Unsaid,
    Never,
    By(Tls),
}

impl Draft {
    /// Returns a draft with RabbitMQ's own defaults.
    pub(super) fn new() -> Self {
        Self {
            config: AmqpConfig::new("localhost", PLAIN_PORT),
            addresses: Vec::new(),
            port: None,
            encryption: Encryption::Unsaid,
            certificate: None,
            key: None,
        }
    }

    pub(super) fn addresses(&mut self, addresses: Vec<Address>) {
        self.addresses = addresses;
    }

    /// Turns encryption off.
    pub(super) fn plain(&mut self) -> Result<(), ConfigError> {
        if matches!(self.encryption, Encryption::By(_)) {
            let problem =
                "amqp is not encrypted, and there are settings of TLS: write amqps://, or leave them out";
            return Err(ConfigError::new("scheme", problem));
        }
        self.encryption = Encryption::Never;
        Ok(())
    }

    /// Turns encryption on.
    pub(super) fn encrypted(&mut self) {
        if !matches!(self.encryption, Encryption::By(_)) {
            self.encryption = Encryption::By(Tls::new());
        }
    }

    /// Turns encryption on, unless it was explicitly turned off.
    #[cfg(feature = "config-file")]
    pub(super) fn turn_on_tls(&mut self) -> Result<(), ConfigError> {
        if self.encryption == Encryption::Never {
            return Err(ConfigError::new(
                "",
                "there are settings of TLS, and the uri says amqp: write amqps://",
            ));
        }
        self.encrypted();
        Ok(())
    }

    /// Sets one TLS setting, by RabbitMQ's name of it.
    pub(super) fn tls(&mut self, key: &str, value: PathBuf) -> Result<(), ConfigError> {
        let tls = match &mut self.encryption {
            Encryption::By(tls) => tls,
            _ => return Err(ConfigError::new(key, "it is for amqps:// alone, and the scheme is amqp")),
        };
        let text = value.to_string_lossy();
        match key {
            "cacertfile" => *tls = std::mem::take(tls).ca_file(value)?,
            "server_name_indication" => *tls = std::mem::take(tls).server_name(text),
            "certfile" => self.certificate = Some(value),
            "keyfile" => self.key = Some(value),
            "verify" if text != "verify_peer" => {
                let problem =
                    format!("\"{text}\"; the broker's certificate is always verified (verify_peer)");
                return Err(ConfigError::new(key, problem));
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<AmqpConfig, ConfigError> {
        let Self { mut config, addresses, port, encryption, certificate, key } = self;
        config.tls = match (encryption, certificate, key) {
            (Encryption::By(tls), Some(certificate), Some(key)) => {
                Some(tls.identity_files(certificate, key)?)
            }
            (_, Some(_), None) => {
                return Err(ConfigError::new("keyfile", "missing, and there is a certfile"));
            }
            (_, None, Some(_)) => {
                return Err(ConfigError::new("certfile", "missing, and there is a keyfile"));
            }
            (Encryption::By(tls), _, _) => Some(tls),
            _ => None,
        };
        let usual = if config.tls.is_some() { TLS_PORT } else { PLAIN_PORT };
        let port = port.unwrap_or(usual);
        if addresses.is_empty() {
            config.hosts[0].port = port;
        } else {
            let host = |Address { name, port: own }| Host { name, port: own.unwrap_or(port) };
            config.hosts = addresses.into_iter().map(host).collect();
        }
        Ok(config)
    }
}

const PLAIN_PORT: u16 = 5672;
const TLS_PORT: u16 = 5671;

/// The settings of TLS, by RabbitMQ's names.
pub(super) const TLS_KEYS: [&str; 5] =
    ["cacertfile", "certfile", "keyfile", "server_name_indication", "verify"];

/// Converts a limit of attempts as in the original's configuration: a negative number is no limit.
pub(super) fn attempts(limit: i64) -> Option<u32> {
    u32::try_from(limit).ok()
}

/// Converts seconds to a duration.
pub(super) fn seconds(value: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(value).ok()
}
