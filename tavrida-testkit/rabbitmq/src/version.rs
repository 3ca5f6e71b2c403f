//! The version of a RabbitMQ server.

use std::{fmt, io};

use crate::error::{Error, Result};

/// The version of a node's RabbitMQ, by [`Node::version`](crate::Node::version). Versions are ordered.
///
/// ```
/// use tavrida_rabbitmq::Version;
///
/// let version: Version = "4.0.5".parse()?;
/// assert!(version >= Version { major: 4, minor: 0, patch: 0 });
/// assert_eq!(version.to_string(), "4.0.5");
/// # Ok::<_, tavrida_rabbitmq::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the fields are the parts of a version")]
pub struct Version {
    pub major: u16,
    pub minor: u16,
    pub patch: u16,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// Parses `4.0.5`, or `4.1.0-rc.1` as 4.1.0: what follows the third number does not count.
impl std::str::FromStr for Version {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let numbers: Option<Vec<u16>> = text.splitn(3, '.').map(leading_number).collect();
        let Some([major, minor, patch]) = numbers.as_deref() else {
            let why = format!("expected three numbers such as 4.0.5, got {text:?}");
            return Err(Error::io(
                "reading the version of RabbitMQ",
                io::Error::new(io::ErrorKind::InvalidData, why),
            ));
        };
        Ok(Self { major: *major, minor: *minor, patch: *patch })
    }
}

fn leading_number(part: &str) -> Option<u16> {
    let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
    part[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_candidate_is_its_release_and_what_is_no_version_is_an_error_with_the_text() {
        let candidate: Version = "4.1.0-rc.1".parse().unwrap();
        assert_eq!(candidate, Version { major: 4, minor: 1, patch: 0 });

        let error = "unknown".parse::<Version>().unwrap_err();
        let source = std::error::Error::source(&error).expect("it says why");
        assert!(source.to_string().contains("unknown"), "{source}");
    }
}
