//! [`Address`]: a host, and its port if given.

use std::net::Ipv6Addr;

use super::ConfigError;
use super::uri::decode;

/// A host, and its port if given.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) name: String,
    pub(super) port: Option<u16>,
}

impl Address {
    /// Parses `host`, `host:port`, `[::1]:port`; an empty name is `localhost`.
    pub(super) fn parse(text: &str) -> Result<Self, ConfigError> {
        let wrong = |problem: String| ConfigError::new("host", problem);
        if text.contains('@') {
            // The text is not shown: it may contain a password.
            return Err(wrong(
                "there is an '@' in it; user and password are said elsewhere: in a URI once, before the first host, where an '@' of \
                 theirs is written %40"
                    .into(),
            ));
        }
        let (name, port) = match text.strip_prefix('[').map(|rest| rest.split_once(']')) {
            Some(Some((name, rest))) if rest.is_empty() || rest.starts_with(':') => {
                (ipv6(name)?, rest.strip_prefix(':'))
            }
            Some(_) => return Err(wrong("an address in brackets is [::1] or [::1]:port".into())),
            None => {
                let (name, port) =
                    text.split_once(':').map_or((text, None), |(name, port)| (name, Some(port)));
                (host(name)?, port)
            }
        };
        let port = match port {
            None | Some("") => None,
            Some(port) => {
                Some(port.parse().ok().filter(|port| *port > 0).ok_or_else(|| wrong(bad_port(&name, port)))?)
            }
        };
        Ok(Self { name, port })
    }
}

/// Says what is wrong with a port. One that is no number is not shown: it may be a password whose host was forgotten.
fn bad_port(name: &str, port: &str) -> String {
    if name.contains(':') || !port.contains(':') {
        let shown =
            if port.bytes().all(|byte| byte.is_ascii_digit()) { format!(" {port}") } else { String::new() };
        format!("the port{shown} of \"{name}\" is not a number from 1 to 65535")
    } else {
        "there are two colons in it; an IPv6 address stands in brackets: [::1]:5672".to_owned()
    }
}

fn ipv6(name: &str) -> Result<String, ConfigError> {
    let address: Result<Ipv6Addr, _> = name.parse();
    let problem = || ConfigError::new("host", format!("\"[{name}]\" is not an IPv6 address"));
    address.map(|address| address.to_string()).map_err(|_| problem())
}

fn host(name: &str) -> Result<String, ConfigError> {
    let name = decode("host", name)?;
    let unfit = |c: char| c.is_control() || c.is_whitespace() || "/?#[]@:,\\".contains(c);
    match name.chars().find(|c| unfit(*c)) {
        Some(c) => {
            Err(ConfigError::new("host", format!("{name:?} is not the name of a host: there is {c:?} in it")))
        }
        None if name.is_empty() => Ok("localhost".to_owned()),
        None => Ok(name),
    }
}
