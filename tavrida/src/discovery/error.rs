//! [`DiscoveryError`]: a name without a known exchange.

use std::fmt;

use super::Role;
use crate::error::{Error, Kind};
use crate::field::ShortString;

/// The discovery does not know a name in the requested role.
///
/// Converted to an [`Error`], it has the code 1007, and [`Error::is_undiscovered`] returns `true`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiscoveryError {
    role: Role,
    name: String,
    known: Vec<ShortString>,
}

/// How many known names are listed; the rest is counted, to keep log lines short.
const LISTED: usize = 20;

impl DiscoveryError {
    pub(super) fn new(role: Role, name: &str, known: Vec<ShortString>) -> Self {
        Self { role, name: name.to_owned(), known }
    }

    /// Returns the role in which the name was looked up.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Returns the unknown name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the names that are known in this role, sorted; empty if the discovery does not list them.
    pub fn known(&self) -> &[ShortString] {
        &self.known
    }
}

impl fmt::Display for DiscoveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no discovery knows the {} '{}'", self.role, self.name)?;
        if self.known.is_empty() {
            return Ok(());
        }
        let listed = self.known.iter().take(LISTED).map(|name| format!("'{name}'")).collect::<Vec<_>>();
        write!(f, "; known in this role: {}", listed.join(", "))?;
        match self.known.len().saturating_sub(LISTED) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

impl std::error::Error for DiscoveryError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(Kind::UnableToDiscover.source())
    }
}

impl From<DiscoveryError> for Error {
    fn from(error: DiscoveryError) -> Self {
        Self::new(Kind::UnableToDiscover, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize) -> Vec<ShortString> {
        (0..count).map(|n| ShortString::try_from(format!("service_{n:02}")).unwrap()).collect()
    }

    #[test]
    fn the_error_names_the_role_the_name_and_what_is_known() {
        let error = DiscoveryError::new(Role::Publisher, "chuk", vec![ShortString::from_static("chuck")]);
        assert_eq!(error.to_string(), "no discovery knows the publisher 'chuk'; known in this role: 'chuck'");
        assert_eq!((error.role(), error.name(), error.known().len()), (Role::Publisher, "chuk", 1));
    }

    #[test]
    fn a_long_list_is_cut_and_counted() {
        let text = DiscoveryError::new(Role::Service, "nope", names(23)).to_string();
        assert!(text.ends_with("'service_19' and 3 more"), "{text}");
        assert!(!text.contains("service_20"), "{text}");
    }

    #[test]
    fn on_the_wire_it_is_the_originals_unable_to_discover() {
        let error = Error::from(DiscoveryError::new(Role::Service, "nope", names(0)));
        assert_eq!((error.code(), error.is_undiscovered()), (1007, true));
        assert_eq!(error.to_string(), "no discovery knows the service 'nope'");
    }
}
