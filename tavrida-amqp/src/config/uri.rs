//! AMQP URIs (<https://www.rabbitmq.com/docs/uri-spec>, <https://www.rabbitmq.com/docs/uri-query-parameters>).

use std::str::FromStr;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use url::{Host as UrlHost, Url};

use super::{AmqpConfig, ConfigError, Tls};

pub(super) fn parse(uri: &str) -> Result<AmqpConfig, ConfigError> {
    // The parser's own error shows nothing of the text, which has a password in it.
    let url = Url::parse(uri).map_err(|error| ConfigError::new("uri", error.to_string()))?;
    let (port, tls) = scheme(url.scheme())?;
    let mut config = AmqpConfig::new(host(&url), url.port().unwrap_or(port));
    if !url.username().is_empty() {
        config.username = decode("username", url.username())?;
    }
    if let Some(password) = url.password() {
        config.password = decode("password", password)?;
    }
    if let Some(name) = url.path().strip_prefix('/') {
        config.virtual_host = virtual_host(name)?;
    }
    let mut encryption = Encryption { tls, ..Encryption::default() };
    for (key, value) in url.query_pairs() {
        config = match encryption.take(&key, &value)? {
            true => config,
            false => parameter(config, &key, &value)?,
        };
    }
    config.tls = encryption.finish()?;
    Ok(config)
}

/// The default port, and what there is to say of TLS.
fn scheme(scheme: &str) -> Result<(u16, Option<Tls>), ConfigError> {
    match scheme {
        "amqp" => Ok((5672, None)),
        "amqps" => Ok((5671, Some(Tls::new()))),
        other => {
            let problem = format!("\"{other}\" is not known; expected \"amqp\" or \"amqps\"");
            Err(ConfigError::new("scheme", problem))
        }
    }
}

/// The parameters of TLS, two of which make sense together alone.
#[derive(Default)]
struct Encryption {
    tls: Option<Tls>,
    certificate: Option<String>,
    key: Option<String>,
}

impl Encryption {
    /// Takes a parameter, if it is one of TLS.
    fn take(&mut self, key: &str, value: &str) -> Result<bool, ConfigError> {
        if !["cacertfile", "certfile", "keyfile", "server_name_indication", "verify"].contains(&key) {
            return Ok(false);
        }
        let Some(tls) = self.tls.take() else {
            return Err(ConfigError::new(key, "it is for amqps:// alone, and the scheme is amqp"));
        };
        self.tls = Some(match key {
            "cacertfile" => tls.ca_file(value)?,
            "server_name_indication" => tls.server_name(value),
            "verify" if value != "verify_peer" => {
                let problem =
                    format!("\"{value}\"; the broker's certificate is always verified (verify_peer)");
                return Err(ConfigError::new(key, problem));
            }
            _ => tls,
        });
        match key {
            "certfile" => self.certificate = Some(value.into()),
            "keyfile" => self.key = Some(value.into()),
            _ => {}
        }
        Ok(true)
    }

    fn finish(self) -> Result<Option<Tls>, ConfigError> {
        match (self.tls, self.certificate, self.key) {
            (Some(tls), Some(certificate), Some(key)) => tls.identity_files(certificate, key).map(Some),
            (_, Some(_), None) => Err(ConfigError::new("keyfile", "missing, and there is a certfile")),
            (_, None, Some(_)) => Err(ConfigError::new("certfile", "missing, and there is a keyfile")),
            (tls, _, _) => Ok(tls),
        }
    }
}

fn host(url: &Url) -> String {
    match url.host() {
        None => "localhost".into(),
        Some(UrlHost::Domain("")) => "localhost".into(),
        Some(UrlHost::Domain(name)) => name.into(),
        Some(UrlHost::Ipv4(address)) => address.to_string(),
        Some(UrlHost::Ipv6(address)) => address.to_string(),
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

fn parameter(config: AmqpConfig, key: &str, value: &str) -> Result<AmqpConfig, ConfigError> {
    Ok(match key {
        "heartbeat" => config.heartbeat(number(key, value)?),
        "channel_max" => config.channel_max(number(key, value)?),
        "frame_max" => config.frame_max(number(key, value)?),
        "auth_mechanism" => config.auth_mechanism(value.parse()?),
        "connection_timeout" => config.connect_timeout(Duration::from_millis(number(key, value)?)),
        other => {
            let known = "heartbeat, connection_timeout, channel_max, frame_max, auth_mechanism, cacertfile, certfile, \
                keyfile, server_name_indication, verify";
            return Err(ConfigError::new(
                other,
                format!("not a parameter that is known here; known: {known}"),
            ));
        }
    })
}

fn number<N: FromStr>(key: &str, value: &str) -> Result<N, ConfigError> {
    let bits = size_of::<N>() * 8;
    value
        .parse()
        .map_err(|_| ConfigError::new(key, format!("\"{value}\" is not a whole number of {bits} bits")))
}

#[cfg(test)]
mod tests {
    use super::super::AuthMechanism;
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
