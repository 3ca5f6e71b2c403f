//! How a client proves who it is: PLAIN and AMQPLAIN.

use tavrida::field::{ShortString, Table, Value};

use super::super::settings::PortSettings;
use super::super::wire::Reader;

/// The outcome of a login.
pub(super) enum Login {
    User(ShortString),
    Refused,
    /// The response is not one of its mechanism.
    Unreadable,
    /// The port has no such mechanism.
    UnknownMechanism,
}

pub(super) fn log_in(settings: &PortSettings, mechanism: &str, response: &[u8]) -> Login {
    let credentials = match mechanism {
        "PLAIN" => plain(response),
        "AMQPLAIN" => amqplain(response),
        _ => return Login::UnknownMechanism,
    };
    let Some((user, password)) = credentials else { return Login::Unreadable };
    let is_known = settings.users.get(&user).is_some_and(|known| known.is(&password));
    let user = ShortString::try_from(user).ok().filter(|_| is_known);
    user.map_or(Login::Refused, Login::User)
}

/// Identity (ignored), user and password, each behind a zero.
fn plain(response: &[u8]) -> Option<(String, Vec<u8>)> {
    let mut parts = response.splitn(3, |byte| *byte == 0);
    let (_identity, user, password) = (parts.next()?, parts.next()?, parts.next()?);
    Some((String::from_utf8(user.to_vec()).ok()?, password.to_vec()))
}

/// A table, without its length, with `LOGIN` and `PASSWORD`.
fn amqplain(response: &[u8]) -> Option<(String, Vec<u8>)> {
    let table: Table = Reader::new(response).entries().ok()?;
    let user = table.get("LOGIN")?.as_str()?.to_owned();
    let Value::LongString(password) = table.get("PASSWORD")? else { return None };
    Some((user, password.to_vec()))
}
