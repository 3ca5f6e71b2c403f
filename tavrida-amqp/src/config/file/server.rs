//! The section `[server]`.

use std::path::PathBuf;

use tavrida::server::DeclareMode;

use super::setting::Setting;
use crate::config::{AmqpConfig, ConfigError};

/// The settings of a server in a configuration file: its connection, its queue and exchange, which services it runs, and where they find
/// others.
///
/// [`builder`](ServerConfig::builder) makes a server from it.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    pub(crate) connection: AmqpConfig,
    pub(crate) queue: String,
    pub(crate) exchange: String,
    pub(crate) services: Option<Named<Vec<String>>>,
    pub(crate) discovery: Option<Named<PathBuf>>,
    pub(crate) prefetch: Option<u16>,
    pub(crate) concurrency: Option<usize>,
    pub(crate) declare_mode: Option<DeclareMode>,
}

/// A value that is validated later: with its key and its place.
#[derive(Debug, Clone)]
pub(crate) struct Named<T> {
    pub(crate) value: T,
    key: String,
    place: String,
}

impl<T> Named<T> {
    fn of(setting: &Setting, value: T) -> Self {
        Self { value, key: setting.key.clone(), place: setting.place.to_string() }
    }

    pub(crate) fn wrong(&self, problem: impl Into<String>) -> ConfigError {
        ConfigError::new(&self.key, problem).at(&self.place)
    }
}

impl ServerConfig {
    /// Returns the settings of the connection.
    pub fn connection(&self) -> &AmqpConfig {
        &self.connection
    }

    /// Returns the queue that the services share.
    pub fn queue(&self) -> &str {
        &self.queue
    }

    /// Returns the exchange through which others reach the services.
    pub fn exchange(&self) -> &str {
        &self.exchange
    }

    /// Returns the services to run; `None` means all.
    pub fn services(&self) -> Option<&[String]> {
        self.services.as_ref().map(|services| services.value.as_slice())
    }

    /// Returns the `.ds` file with which the services find others.
    pub fn discovery(&self) -> Option<&PathBuf> {
        self.discovery.as_ref().map(|file| &file.value)
    }
}

/// Reads a server from the settings; a later setting replaces an earlier one of the same name. `source` is the place reported for missing
/// ones.
pub(super) fn read(
    settings: &[&Setting],
    connection: AmqpConfig,
    source: &str,
) -> Result<ServerConfig, ConfigError> {
    let last = |name: &str| settings.iter().rfind(|setting| setting.name == name).copied();
    let required = |name: &str| {
        let setting = last(name).ok_or_else(|| {
            let variable = format!("TAVRIDA_SERVER__{}", name.to_uppercase());
            ConfigError::new(format!("server.{name}"), format!("missing; there is no {variable} either"))
                .at(source)
        })?;
        match setting.text()? {
            "" => Err(setting.wrong("it is empty")),
            text => Ok(text.to_owned()),
        }
    };
    Ok(ServerConfig {
        connection,
        queue: required("queue")?,
        exchange: required("exchange")?,
        services: last("services").map(|setting| Ok(Named::of(setting, setting.list()?))).transpose()?,
        discovery: last("discovery").map(|setting| Ok(Named::of(setting, setting.path()?))).transpose()?,
        prefetch: last("prefetch").map(at_least_one).transpose()?,
        concurrency: last("concurrency").map(at_least_one).transpose()?,
        declare_mode: last("declare_mode").map(declare_mode).transpose()?,
    })
}

fn at_least_one<N: std::str::FromStr + Default + PartialEq>(setting: &Setting) -> Result<N, ConfigError> {
    match setting.number()? {
        none if none == N::default() => Err(setting.wrong("at least 1")),
        some => Ok(some),
    }
}

fn declare_mode(setting: &Setting) -> Result<DeclareMode, ConfigError> {
    match setting.text()? {
        "declare" => Ok(DeclareMode::Declare),
        "check" => Ok(DeclareMode::Check),
        "skip" => Ok(DeclareMode::Skip),
        other => Err(setting.wrong(format!("\"{other}\" is not known; known: declare, check, skip"))),
    }
}
