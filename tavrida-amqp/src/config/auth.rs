//! Authentication mechanisms.

use std::str::FromStr;

use lapin::uri::SASLMechanism;

use super::ConfigError;

/// A mechanism of authentication (SASL), as RabbitMQ names them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AuthMechanism {
    /// `PLAIN`: user name and password. The default.
    #[default]
    Plain,
    /// `AMQPLAIN`: the same in an older form.
    AmqPlain,
    /// `ANONYMOUS`: without a user, if the broker permits it.
    Anonymous,
    /// `EXTERNAL`: the client certificate of the [TLS](super::Tls) connection.
    External,
    /// `RABBIT-CR-DEMO`: RabbitMQ's demonstration of a challenge-response mechanism.
    RabbitCrDemo,
}

impl AuthMechanism {
    /// Returns whether the broker knows the user by the configured name.
    pub(crate) fn uses_username(self) -> bool {
        !matches!(self, Self::Anonymous | Self::External)
    }

    pub(crate) fn sasl(self) -> SASLMechanism {
        match self {
            Self::Plain => SASLMechanism::Plain,
            Self::AmqPlain => SASLMechanism::AMQPlain,
            Self::Anonymous => SASLMechanism::Anonymous,
            Self::External => SASLMechanism::External,
            Self::RabbitCrDemo => SASLMechanism::RabbitCrDemo,
        }
    }
}

impl FromStr for AuthMechanism {
    type Err = ConfigError;

    /// Parses RabbitMQ's name, in any case.
    fn from_str(name: &str) -> Result<Self, ConfigError> {
        match name.to_ascii_lowercase().as_str() {
            "plain" => Ok(Self::Plain),
            "amqplain" => Ok(Self::AmqPlain),
            "anonymous" => Ok(Self::Anonymous),
            "external" => Ok(Self::External),
            "rabbit-cr-demo" => Ok(Self::RabbitCrDemo),
            _ => {
                let known = "plain, amqplain, anonymous, external, rabbit-cr-demo";
                Err(ConfigError::new("auth_mechanism", format!("\"{name}\" is not known; known: {known}")))
            }
        }
    }
}
