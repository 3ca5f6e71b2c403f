//! [`Password`]: what a user proves to know.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256, Sha512};

/// A password, or a hash of it as in RabbitMQ's definitions.
#[derive(Clone)]
pub(super) enum Password {
    Plain(String),
    /// Salt and hash.
    Hashed {
        salt: [u8; 4],
        hash: Vec<u8>,
    },
}

impl Password {
    pub(super) fn plain(password: impl Into<String>) -> Self {
        Self::Plain(password.into())
    }

    /// Returns the password of a `password_hash` in definitions. `None` if it is none that anyone can know, such as an empty one.
    pub(super) fn hashed(encoded: &str) -> Option<Self> {
        let bytes = STANDARD.decode(encoded).ok()?;
        let (salt, hash) = bytes.split_first_chunk()?;
        Some(Self::Hashed { salt: *salt, hash: hash.to_vec() })
    }

    pub(super) fn is(&self, password: &[u8]) -> bool {
        match self {
            Self::Plain(known) => known.as_bytes() == password,
            Self::Hashed { salt, hash } => {
                let salted = [salt, password].concat();
                match hash.len() {
                    64 => Sha512::digest(salted)[..] == hash[..],
                    _ => Sha256::digest(salted)[..] == hash[..],
                }
            }
        }
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RabbitMQ's documentation: `test12` with the salt `908DC60A`.
    #[test]
    fn a_hash_of_rabbitmq_knows_its_password() {
        let hashed = Password::hashed("kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR").expect("a hash");
        assert!(hashed.is(b"test12") && !hashed.is(b"test13"));
        assert!(Password::hashed("").is_none());
    }
}
