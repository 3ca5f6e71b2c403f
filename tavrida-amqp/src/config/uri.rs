//! AMQP URIs (<https://www.rabbitmq.com/docs/uri-spec>, <https://www.rabbitmq.com/docs/uri-query-parameters>).

use std::str::FromStr;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use url::form_urlencoded;

use super::address::Address;
use super::draft::{Draft, TLS_KEYS, attempts, seconds};
use super::{AmqpConfig, ConfigError};

pub(super) fn parse(uri: &str) -> Result<AmqpConfig, ConfigError> {
    let mut draft = Draft::new();
    apply(&mut draft, uri)?;
    draft.finish()
}

/// Writes the settings of the URI into a draft, and no others.
pub(super) fn apply(draft: &mut Draft, uri: &str) -> Result<(), ConfigError> {
    let parts = UriParts::of(uri.trim())?;
    scheme(draft, parts.scheme)?;
    if let Some(user) = parts.user {
        let (name, password) = user.split_once(':').map_or((user, None), |(name, word)| (name, Some(word)));
        draft.config.username = decode("username", name)?;
        if let Some(password) = password {
            draft.config.password = decode("password", password)?;
        }
    }
    parts.rest(draft).map_err(|error| match parts.has_late_at() {
        // Neither is shown: each may be a part of the password.
        true => ConfigError::new(
            "password",
            "a '/' or a '?' of a user name or password is written %2f or %3f; the host begins behind the '@'",
        ),
        false => error,
    })
}

/// The parts of a URI, as they stand in it.
struct UriParts<'a> {
    scheme: &'a str,
    user: Option<&'a str>,
    hosts: &'a str,
    /// What follows a `/`.
    path: Option<&'a str>,
    query: &'a str,
}

impl<'a> UriParts<'a> {
    /// No error shows the text, which has a password in it.
    fn of(uri: &'a str) -> Result<Self, ConfigError> {
        let wrong = |problem| Err(ConfigError::new("uri", problem));
        let Some((scheme, rest)) = uri.split_once(':') else {
            return wrong("a scheme is missing: amqp://host or amqps://host");
        };
        let Some(rest) = rest.strip_prefix("//") else {
            return wrong("'//' is missing behind the scheme: amqp://host or amqps://host");
        };
        if rest.contains('#') {
            return wrong(
                "there is a '#' in it, which has no meaning there; in a name or password it is written %23",
            );
        }
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) =
            rest.split_once('/').map_or((rest, None), |(authority, path)| (authority, Some(path)));
        let (user, hosts) =
            authority.split_once('@').map_or((None, authority), |(user, hosts)| (Some(user), hosts));
        Ok(Self { scheme, user, hosts, path, query })
    }

    /// Whether there is an '@' behind the hosts and none before them: a password with a `/` or `?` in it looks like that.
    fn has_late_at(&self) -> bool {
        self.user.is_none() && (self.path.is_some_and(|path| path.contains('@')) || self.query.contains('@'))
    }

    /// Reads hosts, virtual host and parameters.
    fn rest(&self, draft: &mut Draft) -> Result<(), ConfigError> {
        let hosts: Vec<_> = self.hosts.split(',').collect();
        if hosts.len() > 1 && hosts.contains(&"") {
            return Err(ConfigError::new("host", "one of several hosts is empty"));
        }
        draft.addresses(hosts.into_iter().map(Address::parse).collect::<Result<_, _>>()?);
        draft.port = None;
        if let Some(name) = self.path {
            draft.config.virtual_host = virtual_host(name)?;
        }
        parameters(draft, self.query)
    }
}

fn scheme(draft: &mut Draft, scheme: &str) -> Result<(), ConfigError> {
    match scheme.to_ascii_lowercase().as_str() {
        "amqp" => draft.plain(),
        "amqps" => {
            draft.encrypted();
            Ok(())
        }
        other => {
            let problem = format!("\"{other}\" is not known; expected \"amqp\" or \"amqps\"");
            Err(ConfigError::new("scheme", problem))
        }
    }
}

fn virtual_host(path: &str) -> Result<String, ConfigError> {
    if path.contains('/') {
        let problem =
            format!("\"{path}\" has a '/' in it; a '/' in the name of a virtual host is written %2f");
        return Err(ConfigError::new("virtual host", problem));
    }
    short("virtual host", decode("virtual host", path)?)
}

/// Checks that AMQP can send a name.
pub(super) fn short(key: &str, name: String) -> Result<String, ConfigError> {
    match name.len() {
        0..=AmqpConfig::MAX_NAME => Ok(name),
        long => Err(ConfigError::new(key, format!("it has {long} bytes, and AMQP sends at most 255"))),
    }
}

/// Decodes a part; the error does not show it.
pub(super) fn decode(key: &str, text: &str) -> Result<String, ConfigError> {
    let is_escape = |rest: &str| rest.len() >= 2 && rest.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
    if !text.split('%').skip(1).all(is_escape) {
        let problem = "a '%' in it begins no pair of hexadecimal digits; a '%' itself is written %25";
        return Err(ConfigError::new(key, problem));
    }
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(Into::into).map_err(|_| ConfigError::new(key, "percent-decodes to bytes that are not UTF-8"))
}

fn parameters(draft: &mut Draft, query: &str) -> Result<(), ConfigError> {
    let mut seen = Vec::new();
    for (key, value) in form_urlencoded::parse(query.as_bytes()) {
        if seen.contains(&key) {
            return Err(ConfigError::new(key, "it is given twice"));
        }
        match TLS_KEYS.contains(&&*key) {
            true => draft.tls(&key, (*value).into())?,
            false => parameter(&mut draft.config, &key, &value)?,
        }
        seen.push(key);
    }
    Ok(())
}

fn parameter(config: &mut AmqpConfig, key: &str, value: &str) -> Result<(), ConfigError> {
    match key {
        "heartbeat" => config.heartbeat = Some(number(key, value)?),
        "channel_max" => config.channel_max = Some(channels(key, number(key, value)?)?),
        "frame_max" => config.frame_max = Some(frames(key, number(key, value)?)?),
        "auth_mechanism" => config.mechanism = value.parse()?,
        "connection_timeout" => config.connect_timeout = Duration::from_millis(number(key, value)?),
        "locale" => config.locale = short(key, value.into())?,
        "connection_name" => config.connection_name = Some(value.into()),
        "connection_attempts" => config.connection_attempts = attempts(number(key, value)?),
        "reconnect_attempts" => config.reconnect_attempts = attempts(number(key, value)?),
        "retry_delay" => {
            let delay = value.parse().ok().and_then(seconds);
            config.retry_delay = delay.ok_or_else(|| {
                ConfigError::new(key, format!("\"{value}\" is not a number of seconds, such as 0.5"))
            })?;
        }
        "publish_window" => config.publish_window = window(key, number(key, value)?)?,
        other => {
            let known = "heartbeat, connection_timeout, channel_max, frame_max, auth_mechanism, locale, connection_name, \
                connection_attempts, retry_delay, reconnect_attempts, publish_window, cacertfile, certfile, keyfile, \
                server_name_indication, verify";
            return Err(ConfigError::new(
                other,
                format!("not a parameter that is known here; known: {known}"),
            ));
        }
    }
    Ok(())
}

/// Checks that a window is not 0.
pub(super) fn window(key: &str, publishes: usize) -> Result<usize, ConfigError> {
    match publishes {
        0 => Err(ConfigError::new(key, "0 publishes nothing; at least 1")),
        more => Ok(more),
    }
}

/// Checks that a channel limit is enough for a session, or 0 for the server's.
pub(super) fn channels(key: &str, channels: u16) -> Result<u16, ConfigError> {
    match channels {
        0 | AmqpConfig::MIN_CHANNELS.. => Ok(channels),
        few => {
            let least = AmqpConfig::MIN_CHANNELS;
            let problem =
                format!("{few} are too few for a session; at least {least}, or 0 for the server's limit");
            Err(ConfigError::new(key, problem))
        }
    }
}

/// Checks that AMQP allows frames of this size; 0 takes the broker's.
pub(super) fn frames(key: &str, bytes: u32) -> Result<u32, ConfigError> {
    match bytes {
        0 | AmqpConfig::MIN_FRAME_MAX.. => Ok(bytes),
        few => {
            let least = AmqpConfig::MIN_FRAME_MAX;
            let problem = format!(
                "{few} bytes are too few: AMQP's smallest frame has {least}, and 0 takes the broker's"
            );
            Err(ConfigError::new(key, problem))
        }
    }
}

pub(super) fn number<N: FromStr>(key: &str, value: &str) -> Result<N, ConfigError> {
    let bits = size_of::<N>() * 8;
    value
        .parse()
        .map_err(|_| ConfigError::new(key, format!("\"{value}\" is not a whole number of {bits} bits")))
}

#[cfg(test)]
#[path = "uri_tests.rs"]
mod tests;
