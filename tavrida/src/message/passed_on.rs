//! An error that a handler passes on with `?` becomes a failure.

use std::error::Error as StdError;
use std::sync::Arc;

use super::failure::cause;
use super::{ErrorReply, Failure};
use crate::entry_point::EntryPointError;
use crate::error::Error;
use crate::field::TooLongError;

impl<E: StdError + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        let class = || class_of(std::any::type_name::<E>());
        let failure = match (cause::<ErrorReply>(&error), cause::<Error>(&error)) {
            (Some(remote), _) => remote.failure(),
            (None, Some(own)) => Self::of_kind(own, error.to_string()),
            (None, None) => match bad_text(&error) {
                Some(own) => Self::of_kind(&own, error.to_string()),
                None => Self::new(class(), error.to_string()),
            },
        };
        failure.caused_by(Arc::new(error))
    }
}

/// The error of a text that is no name or address: those types come before [`Error`] and do not have it as their source.
fn bad_text(error: &(dyn StdError + 'static)) -> Option<Error> {
    let too_long = cause::<TooLongError>(error).map(|error| Error::from(error.clone()));
    too_long.or_else(|| cause::<EntryPointError>(error).map(|error| Error::from(error.clone())))
}

/// The class of an error that has none of its own: the path of its type, and for the types of this library, whose modules are private,
/// their name.
fn class_of(type_name: &str) -> String {
    let path = type_name.split('<').next().unwrap_or_default();
    match path.split("::").next() {
        Some("tavrida" | "tavrida_amqp" | "tavrida_memory" | "tavrida_routing" | "tavrida_testkit") => {
            format!("tavrida.exceptions.{}", path.rsplit("::").next().unwrap_or_default())
        }
        _ => path.replace("::", "."),
    }
}
