//! The known keys, and those of the Python original.

use crate::config::draft::TLS_KEYS;

pub(super) const CONNECTION: &str = "connection";
pub(super) const TLS: &str = "connection.tls";
pub(super) const SERVER: &str = "server";

/// The sections, for error texts.
pub(super) const SECTIONS: &str = "[connection], [connection.tls], [server]";

const OF_CONNECTION: [&str; 18] = [
    "uri",
    "host",
    "hosts",
    "port",
    "virtual_host",
    "username",
    "password",
    "auth_mechanism",
    "channel_max",
    "frame_max",
    "heartbeat",
    "connect_timeout",
    "connection_attempts",
    "retry_delay",
    "reconnect_attempts",
    "locale",
    "connection_name",
    "publish_window",
];

const OF_SERVER: [&str; 7] =
    ["queue", "exchange", "services", "discovery", "prefetch", "concurrency", "declare_mode"];

/// Returns the known keys of a section.
pub(super) fn known(section: &str) -> &'static [&'static str] {
    match section {
        CONNECTION => &OF_CONNECTION,
        TLS => &TLS_KEYS,
        _ => &OF_SERVER,
    }
}

/// Returns what replaces a key or section of the original's configuration file.
pub(super) fn gone(section: &str, key: &str) -> Option<&'static str> {
    Some(match (section, key) {
        ("", "ssl") => "the section [ssl] of the original is [connection.tls] now",
        (CONNECTION, "async_engine") => "it is gone: there is one engine, and it is asynchronous",
        (CONNECTION, "heartbeat_interval") => "it is called heartbeat now",
        (CONNECTION, "socket_timeout") => "it is called connect_timeout now",
        (CONNECTION, "ssl") => "it is gone: the section [connection.tls], empty or not, turns TLS on",
        (CONNECTION, "ssl_options") => "its settings are those of the section [connection.tls] now",
        (CONNECTION, "backpressure_detection") => {
            "it is gone: publishes wait while the broker blocks them, and the health says so"
        }
        (TLS, "ca_certs") => "it is called cacertfile now",
        (TLS, "cert_reqs") => "it is gone: the broker's certificate is always verified",
        (TLS, "ssl_version" | "ciphers") => "it is gone: TLS 1.2 and 1.3, with the ciphers of rustls",
        (TLS, "suppress_ragged_eofs" | "server_side") => "it is gone, and nothing is in its place",
        (SERVER, "queue_name") => "it is called queue now",
        (SERVER, "exchange_name") => "it is called exchange now",
        _ => return None,
    })
}
