//! AMQP URIs (<https://www.rabbitmq.com/docs/uri-spec>, <https://www.rabbitmq.com/docs/uri-query-parameters>).

use std::borrow::Cow;
use std::str::FromStr;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use url::Url;

use super::draft::{Address, Draft, TLS_KEYS, attempts, seconds};
use super::{AmqpConfig, ConfigError};

pub(super) fn parse(uri: &str) -> Result<AmqpConfig, ConfigError> {
    let mut draft = Draft::new();
    apply(&mut draft, uri)?;
    draft.finish()
}

/// Writes the settings of the URI into a draft, and no others.
pub(super) fn apply(draft: &mut Draft, uri: &str) -> Result<(), ConfigError> {
    let (first, others) = one_host(uri)?;
    // The parser's own error does not show the text, which has a password in it.
    let url = Url::parse(&first).map_err(|error| ConfigError::new("uri", error.to_string()))?;
    scheme(draft, url.scheme())?;
    let mut addresses = vec![Address::of(&url)];
    for other in others {
        addresses.push(Address::parse(other)?);
    }
    draft.addresses(addresses);
    draft.port = None;
    if !url.username().is_empty() {
        draft.config.username = decode("username", url.username())?;
    }
    if let Some(password) = url.password() {
        draft.config.password = decode("password", password)?;
    }
    if let Some(name) = url.path().strip_prefix('/') {
        draft.config.virtual_host = virtual_host(name)?;
    }
    parameters(draft, &url)
}

/// Returns a URI with only the first of several hosts, and the other hosts.
fn one_host(uri: &str) -> Result<(Cow<'_, str>, Vec<&str>), ConfigError> {
    let Some((scheme, rest)) = uri.split_once("://") else { return Ok((uri.into(), Vec::new())) };
    let (authority, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (user, hosts) = authority.split_at(authority.rfind('@').map_or(0, |at| at + 1));
    let Some((first, others)) = hosts.split_once(',') else { return Ok((uri.into(), Vec::new())) };
    let others: Vec<_> = others.split(',').collect();
    if first.is_empty() || others.contains(&"") {
        return Err(ConfigError::new("host", "one of several hosts is empty"));
    }
    Ok((format!("{scheme}://{user}{first}{tail}").into(), others))
}

fn scheme(draft: &mut Draft, scheme: &str) -> Result<(), ConfigError> {
    match scheme {
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
    decode("virtual host", path)
}

fn decode(key: &str, text: &str) -> Result<String, ConfigError> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(Into::into).map_err(|_| ConfigError::new(key, "percent-decodes to bytes that are not UTF-8"))
}

fn parameters(draft: &mut Draft, url: &Url) -> Result<(), ConfigError> {
    let mut seen = Vec::new();
    for (key, value) in url.query_pairs() {
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
        "locale" => config.locale = value.into(),
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
mod tests {
    use super::super::{AuthMechanism, Tls};
    use super::*;

    fn parsed(uri: &str) -> AmqpConfig {
        parse(uri).unwrap_or_else(|error| panic!("{uri}: {error}"))
    }

    fn error(uri: &str) -> String {
        parse(uri).expect_err(uri).to_string()
    }

    #[test]
    fn what_is_left_out_has_the_brokers_defaults() {
        assert_eq!(parsed("amqp://localhost"), AmqpConfig::new("localhost", 5672));
        assert_eq!(parsed("amqp://"), AmqpConfig::new("localhost", 5672));
    }

    #[test]
    fn every_part_is_read() {
        let uri = "amqp://us%65r:p%40ss@rabbit:1234/a%2fb?heartbeat=7&connection_timeout=1500&channel_max=9&frame_max=8192";
        let expected = AmqpConfig::new("rabbit", 1234)
            .credentials("user", "p@ss")
            .virtual_host("a/b")
            .heartbeat(7)
            .connect_timeout(Duration::from_millis(1500))
            .channel_max(9)
            .frame_max(8192);
        assert_eq!(parsed(uri), expected);
    }

    #[test]
    fn what_belongs_to_this_library_alone_is_read_too() {
        let uri = "amqp://rabbit?locale=de_DE&connection_name=billing&connection_attempts=3&retry_delay=0.5\
            &reconnect_attempts=-1&publish_window=16";
        let expected = AmqpConfig::new("rabbit", 5672)
            .locale("de_DE")
            .connection_name("billing")
            .connection_attempts(3)
            .retry_delay(Duration::from_millis(500))
            .reconnect_attempts(None)
            .publish_window(16);
        assert_eq!(parsed(uri), expected);
    }

    #[test]
    fn several_hosts_stand_where_one_does() {
        let three = AmqpConfig::new("a", 5672).or_host("::1", 7).or_host("c", 5672).virtual_host("v");
        assert_eq!(parsed("amqp://a,[::1]:7,c/v"), three.clone());
        assert_eq!(parsed(&three.endpoint()), three);
        let user = parsed("amqps://us:p%2ca@a:1,b?heartbeat=3");
        assert_eq!(user.endpoint(), "amqps://a:1,b:5671/%2f");
        assert_eq!(user.password, "p,a");
        assert_eq!(error("amqp://a,,b"), "host: one of several hosts is empty");
        assert!(error("amqp://a,b:x").starts_with("host: \"b:x\" is not a host or host:port"));
    }

    #[test]
    fn a_parameter_is_given_once_and_makes_sense() {
        assert_eq!(error("amqp://a?heartbeat=1&heartbeat=2"), "heartbeat: it is given twice");
        assert_eq!(
            error("amqp://a?channel_max=2"),
            "channel_max: 2 are too few for a session; at least 8, or 0 for the server's limit"
        );
        assert_eq!(error("amqp://a?publish_window=0"), "publish_window: 0 publishes nothing; at least 1");
        assert!(
            error("amqp://a?retry_delay=-1").starts_with("retry_delay: \"-1\" is not a number of seconds")
        );
    }

    #[test]
    fn addresses_are_hosts_too() {
        assert_eq!(parsed("amqp://127.0.0.1:5673"), AmqpConfig::new("127.0.0.1", 5673));
        assert_eq!(parsed("amqp://[::1]:5673"), AmqpConfig::new("::1", 5673));
        assert_eq!(parsed("amqp://[::1]:5673").endpoint(), "amqp://[::1]:5673/%2f");
    }

    #[test]
    fn a_bare_slash_is_the_virtual_host_without_a_name() {
        assert_eq!(parsed("amqp://localhost/").virtual_host, "");
        assert_eq!(parsed("amqp://localhost/%2f").virtual_host, "/");
    }

    #[test]
    fn an_error_names_the_culprit_and_never_the_password() {
        assert_eq!(
            error("http://localhost"),
            "scheme: \"http\" is not known; expected \"amqp\" or \"amqps\""
        );
        assert_eq!(
            error("amqp://localhost?heartbeat=soon"),
            "heartbeat: \"soon\" is not a whole number of 16 bits"
        );
        assert!(error("amqp://localhost?hartbeat=1").starts_with("hartbeat: not a parameter"));
        assert!(error("amqp://localhost/a/b").starts_with("virtual host: \"a/b\""));
        assert!(error("amqp://guest:%ff@localhost").starts_with("password: percent-decodes"));
        assert!(!error("amqp://guest:hunter2@local host").contains("hunter2"));
    }

    #[test]
    fn amqps_has_its_own_port_and_parameters() {
        let plain = AmqpConfig::new("rabbit", 5671);
        assert_eq!(parsed("amqps://rabbit"), plain.clone().tls(Tls::new()));
        let uri = "amqps://rabbit?server_name_indication=inner&verify=verify_peer&auth_mechanism=EXTERNAL";
        let named = plain.tls(Tls::new().server_name("inner")).auth_mechanism(AuthMechanism::External);
        assert_eq!(parsed(uri), named);
        assert_eq!(named.endpoint(), "amqps://rabbit:5671/%2f");
    }

    #[test]
    fn what_would_weaken_or_half_configure_tls_is_an_error() {
        assert!(error("amqps://rabbit?verify=verify_none").starts_with("verify: \"verify_none\""));
        assert!(error("amqp://rabbit?cacertfile=/ca.pem").starts_with("cacertfile: it is for amqps://"));
        assert!(error("amqps://rabbit?cacertfile=/nowhere").starts_with("cacertfile: /nowhere: "));
        assert!(error("amqps://rabbit?certfile=/dev/null").starts_with("keyfile: missing"));
        assert!(error("amqps://rabbit?auth_mechanism=magic").starts_with("auth_mechanism: \"magic\""));
    }
}
