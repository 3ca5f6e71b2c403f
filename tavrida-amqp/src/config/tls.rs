//! TLS settings: encryption and certificates.

use std::path::{Path, PathBuf};

use super::ConfigError;

/// TLS for [`AmqpConfig::tls`](super::AmqpConfig::tls). The broker's certificate is always verified.
///
/// Files are PEM. They are read at each attempt to connect, so that certificates can be renewed while a service runs, and once when they
/// are set, so that a wrong path is an error at once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tls {
    pub(crate) ca: Option<PathBuf>,
    pub(crate) identity: Option<(PathBuf, PathBuf)>,
    pub(crate) server_name: Option<String>,
}

impl Tls {
    /// Trusts the certificate authorities of the system.
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts only the certificate authorities of this file.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Result<Self, ConfigError> {
        self.ca = Some(readable("cacertfile", path.into())?);
        Ok(self)
    }

    /// Sets the client certificate (with its chain) and its private key.
    ///
    /// # Errors
    ///
    /// A file cannot be read.
    pub fn identity_files(
        mut self,
        certificate: impl Into<PathBuf>,
        key: impl Into<PathBuf>,
    ) -> Result<Self, ConfigError> {
        let certificate = readable("certfile", certificate.into())?;
        self.identity = Some((certificate, readable("keyfile", key.into())?));
        Ok(self)
    }

    /// Expects the broker's certificate to be for this name instead of the host's, and sends the name (SNI).
    #[must_use = "the settings come back with the name"]
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.server_name = Some(name.into());
        self
    }
}

fn readable(key: &str, path: PathBuf) -> Result<PathBuf, ConfigError> {
    read(key, &path).map(|_| path)
}

/// Returns the content of a file that a configuration key names.
pub(crate) fn read(key: &str, path: &Path) -> Result<Vec<u8>, ConfigError> {
    std::fs::read(path).map_err(|error| ConfigError::new(key, format!("{}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_there_is_named_with_its_key() {
        let error = Tls::new().ca_file("/nowhere/ca.pem").unwrap_err();
        assert_eq!(error.key(), "cacertfile");
        assert!(error.to_string().starts_with("cacertfile: /nowhere/ca.pem: "), "{error}");
    }
}
