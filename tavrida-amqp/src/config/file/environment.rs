//! The settings of environment variables.

use std::ffi::{OsStr, OsString};

use super::keys::{CONNECTION, SECTIONS, SERVER, TLS};
use super::setting::{Raw, Setting, SettingSource};
use super::toml_text::{Section, must_be_known};
use crate::config::ConfigError;

const PREFIX: &str = "TAVRIDA_";

/// Returns the sections set by environment variables.
pub(super) fn sections(variables: &[(OsString, OsString)]) -> Result<Vec<Section>, ConfigError> {
    let mut sections = [CONNECTION, TLS, SERVER].map(|name| Section { name, settings: Vec::new() });
    let mut ours: Vec<_> = variables.iter().filter_map(|(name, value)| Some((ours(name)?, value))).collect();
    ours.sort();
    for (name, value) in ours {
        let (section, key) = section_and_key(name)?;
        let setting = Setting {
            key: format!("{section}.{key}"),
            name: key,
            place: SettingSource::Variable(name.to_owned()),
            raw: Raw::Variable(text(name, value)?),
        };
        let setting = must_be_known(section, setting)?;
        sections.iter_mut().filter(|there| there.name == section).for_each(|there| {
            there.settings.push(setting.clone());
        });
    }
    Ok(sections.into_iter().filter(|section| !section.settings.is_empty()).collect())
}

/// Returns the name of a variable, if it is a configuration variable.
///
/// Other variables with the same prefix belong to other programs; one that begins with our prefix but has an unknown key is misspelt.
fn ours(name: &OsStr) -> Option<&str> {
    let name = name.to_str()?;
    let rest = name.strip_prefix(PREFIX)?;
    let begins = |section: &str| rest.to_lowercase().starts_with(section);
    (rest.contains("__") || begins(CONNECTION) || begins(SERVER)).then_some(name)
}

/// `TAVRIDA_CONNECTION__TLS__CACERTFILE` is `cacertfile` of `[connection.tls]`.
fn section_and_key(name: &str) -> Result<(&'static str, String), ConfigError> {
    let rest = name.strip_prefix(PREFIX).unwrap_or(name).to_lowercase();
    let parts: Vec<_> = rest.split("__").collect();
    match parts[..] {
        ["connection", "tls", key] => Ok((TLS, key.to_owned())),
        ["connection", key] => Ok((CONNECTION, key.to_owned())),
        ["server", key] => Ok((SERVER, key.to_owned())),
        _ => {
            let problem = format!(
                "not a variable that is known here; they are TAVRIDA_SECTION__KEY, with sections {SECTIONS}, as \
                 TAVRIDA_CONNECTION__HOST and TAVRIDA_CONNECTION__TLS__CACERTFILE"
            );
            Err(ConfigError::new("", problem).at(name))
        }
    }
}

fn text(name: &str, value: &OsStr) -> Result<String, ConfigError> {
    let text = value.to_str().map(str::to_owned);
    text.ok_or_else(|| ConfigError::new("", "its value is not UTF-8").at(name))
}
