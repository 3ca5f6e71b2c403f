//! Validates registrations: names of services, names of exchanges, and [`RegistrationError`] for invalid ones.

use std::fmt;

use super::Role;
use crate::error::{Error, Kind};
use crate::field::ShortString;
use crate::transport::check_name;

/// Validates both names.
pub(super) fn checked(
    role: Role,
    name: &str,
    exchange: &str,
) -> Result<(ShortString, ShortString), RegistrationError> {
    let refused = |why: String| RegistrationError::new(role, name, &why);
    Ok((service_name(name).map_err(refused)?, exchange_name(exchange).map_err(refused)?))
}

/// Validates a service name: one word of a routing key. The error text completes a sentence that names the service.
pub(super) fn service_name(name: &str) -> Result<ShortString, String> {
    let why = match name {
        "" => "its name is empty",
        "*" | "#" => "its name is one that a binding reads as a wildcard",
        _ if name.contains('.') => "its name has a dot, which parts a service from its method",
        _ => return short(name),
    };
    Err(why.to_owned())
}

/// Validates an exchange name. The error text completes a sentence that names the service.
pub(super) fn exchange_name(name: &str) -> Result<ShortString, String> {
    if name.is_empty() {
        return Err(
            "its exchange is the broker's default one (''), which no queue can be bound to".to_owned()
        );
    }
    check_name("exchange", name).map_err(|error| error.to_string())?;
    short(name)
}

fn short(name: &str) -> Result<ShortString, String> {
    ShortString::try_from(name).map_err(|too_long| too_long.to_string())
}

/// A registration that is not possible, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistrationError {
    text: String,
}

impl RegistrationError {
    pub(super) fn new(role: Role, name: &str, why: &str) -> Self {
        let name = name.chars().take(64).collect::<String>();
        Self { text: format!("the {role} '{name}' cannot be registered: {why}") }
    }
}

impl fmt::Display for RegistrationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for RegistrationError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(Kind::Build.source())
    }
}

impl From<RegistrationError> for Error {
    fn from(error: RegistrationError) -> Self {
        Self::new(Kind::Build, error.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_one_word_of_a_routing_key() {
        assert_eq!(service_name("test_world").unwrap(), "test_world");
        assert!(service_name("").unwrap_err().contains("empty"));
        assert!(service_name("world.hello").unwrap_err().contains("dot"));
        assert!(service_name("*").unwrap_err().contains("wildcard"));
        assert!(service_name("#").unwrap_err().contains("wildcard"));
        assert!(service_name(&"s".repeat(256)).unwrap_err().contains("256 bytes"));
    }

    #[test]
    fn a_star_inside_a_service_name_is_an_ordinary_letter() {
        assert_eq!(service_name("star*").unwrap(), "star*");
    }

    #[test]
    fn an_exchange_may_have_dots_but_not_be_the_default_one() {
        assert_eq!(exchange_name("amq.topic").unwrap(), "amq.topic");
        assert!(exchange_name("").unwrap_err().contains("default one"));
        assert!(exchange_name(&"e".repeat(256)).unwrap_err().contains("256 bytes"));
    }
}
