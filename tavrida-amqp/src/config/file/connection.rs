//! The sections `[connection]` and `[connection.tls]`.

use super::keys::TLS;
use super::setting::Setting;
use super::toml_text::Section;
use crate::config::address::Address;
use crate::config::draft::{Draft, attempts};
use crate::config::{ConfigError, uri};

/// Writes the sections of one layer into a draft: the URI first, then its single settings.
pub(super) fn apply(draft: &mut Draft, sections: &[&Section]) -> Result<(), ConfigError> {
    let of = |tls: bool| sections.iter().copied().filter(move |section| (section.name == TLS) == tls);
    let connection: Vec<_> = of(false).flat_map(|section| &section.settings).collect();
    if let Some(setting) = find(&connection, "uri") {
        uri::apply(draft, setting.text()?).map_err(|error| setting.blame(&error))?;
    }
    if let (Some(host), Some(_)) = (find(&connection, "host"), find(&connection, "hosts")) {
        return Err(host.wrong("there is a list of hosts too: one of the two"));
    }
    for setting in connection {
        set(draft, setting)
            .map_err(|error| if error.place().is_some() { error } else { setting.blame(&error) })?;
    }
    for section in of(true) {
        draft.turn_on_tls().map_err(|error| in_section(section, &error))?;
        for setting in &section.settings {
            let value = match setting.name.as_str() {
                "server_name_indication" | "verify" => setting.text()?.into(),
                _ => setting.path()?,
            };
            draft.tls(&setting.name, value).map_err(|error| setting.blame(&error))?;
        }
    }
    Ok(())
}

/// Returns an error of a section as a whole; its place is that of the section's first setting.
fn in_section(section: &Section, error: &ConfigError) -> ConfigError {
    let named = ConfigError::new(section.name, error.problem());
    match section.settings.first() {
        Some(setting) => named.at(&setting.place),
        None => named,
    }
}

fn find<'a>(settings: &[&'a Setting], name: &str) -> Option<&'a Setting> {
    settings.iter().find(|setting| setting.name == name).copied()
}

fn set(draft: &mut Draft, setting: &Setting) -> Result<(), ConfigError> {
    let config = &mut draft.config;
    match setting.name.as_str() {
        "host" => draft.addresses(vec![Address::parse(setting.text()?)?]),
        "hosts" => draft.addresses(addresses(setting)?),
        "port" => draft.port = Some(setting.number()?),
        "virtual_host" => config.virtual_host = uri::short("virtual_host", setting.text()?.into())?,
        "username" => config.username = setting.text()?.into(),
        "password" => config.password = setting.text()?.into(),
        "auth_mechanism" => config.mechanism = setting.text()?.parse()?,
        "channel_max" => config.channel_max = Some(uri::channels("channel_max", setting.number()?)?),
        "frame_max" => config.frame_max = Some(uri::frames("frame_max", setting.number()?)?),
        "heartbeat" => config.heartbeat = Some(setting.number()?),
        "connect_timeout" => config.connect_timeout = setting.seconds()?,
        "connection_attempts" => config.connection_attempts = attempts(setting.number()?),
        "retry_delay" => config.retry_delay = setting.seconds()?,
        "reconnect_attempts" => config.reconnect_attempts = attempts(setting.number()?),
        "locale" => config.locale = uri::short("locale", setting.text()?.into())?,
        "connection_name" => config.connection_name = Some(setting.text()?.into()),
        "publish_window" => config.publish_window = uri::window("publish_window", setting.number()?)?,
        // The URI was handled first.
        _ => {}
    }
    Ok(())
}

fn addresses(setting: &Setting) -> Result<Vec<Address>, ConfigError> {
    let list = setting.list()?;
    if list.is_empty() || list.iter().any(String::is_empty) {
        return Err(setting.wrong("a host is missing"));
    }
    list.iter().map(|host| Address::parse(host)).collect()
}
