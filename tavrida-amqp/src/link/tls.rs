//! Encrypts a socket.
//!
//! With the feature `tls` through rustls; without it, a clear error.

use std::io;

use async_compat::Compat;
use lapin::tcp::AsyncTcpStream;
use tokio::net::TcpStream;

use crate::config::Tls;

pub(super) type Stream = AsyncTcpStream<Compat<TcpStream>>;

/// Opens a TLS connection over a socket to `host`.
#[cfg(feature = "tls")]
pub(super) async fn encrypt(stream: Stream, tls: &Tls, host: &str) -> io::Result<Stream> {
    let connector = rustls::connector(tls).map_err(io::Error::other)?;
    let name = tls.server_name.as_deref().unwrap_or(host);
    stream.into_rustls(&connector, name).await
}

#[cfg(not(feature = "tls"))]
pub(super) async fn encrypt(_: Stream, _: &Tls, _: &str) -> io::Result<Stream> {
    Err(io::Error::other("TLS is asked for, and tavrida-amqp was built without its feature `tls`"))
}

#[cfg(feature = "tls")]
mod rustls {
    use std::path::Path;

    use lapin::tcp::{RustlsConnector, RustlsConnectorConfig};
    use rustls_pki_types::pem::PemObject;
    use rustls_pki_types::{CertificateDer, PrivateKeyDer};

    use crate::config::{ConfigError, Tls, read};

    pub(super) fn connector(tls: &Tls) -> Result<RustlsConnector, ConfigError> {
        let config = match &tls.ca {
            Some(path) => {
                RustlsConnectorConfig::default().with_parsable_certificates(certificates("cacertfile", path)?)
            }
            None => RustlsConnectorConfig::new_with_native_certs().map_err(|error| {
                ConfigError::new("cacertfile", format!("none given, and of the system: {error}"))
            })?,
        };
        let connector = match &tls.identity {
            Some((certificate, key)) => {
                config.connector_with_single_cert(certificates("certfile", certificate)?, private_key(key)?)
            }
            None => config.connector_with_no_client_auth(),
        };
        connector.map_err(|error| ConfigError::new("certfile", error.to_string()))
    }

    fn certificates(key: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
        let pem = read(key, path)?;
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
        match certificates {
            Ok(certificates) if !certificates.is_empty() => Ok(certificates),
            Ok(_) => Err(wrong(key, path, "there is no certificate in it")),
            Err(error) => Err(wrong(key, path, error)),
        }
    }

    fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, ConfigError> {
        let pem = read("keyfile", path)?;
        PrivateKeyDer::from_pem_slice(&pem).map_err(|error| wrong("keyfile", path, error))
    }

    fn wrong(key: &str, path: &Path, problem: impl std::fmt::Display) -> ConfigError {
        ConfigError::new(key, format!("{}: {problem}", path.display()))
    }
}
