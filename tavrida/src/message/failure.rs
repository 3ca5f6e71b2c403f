//! [`Failure`]: the error of a handler, as its caller sees it.

use std::any::Any;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::error::{Error, Kind, UNKNOWN_CODE};

/// Why a handler failed. For a call it becomes an error reply with `class`, `message` and `code`.
///
/// Every error type becomes one with `?`: its class is the type's path, its message the `Display` text, its code 1000. An error of this
/// library keeps its own code, 1001 to 1050, and an error reply of another service keeps its class and code. To choose them, build one, or
/// implement [`IntoFailure`].
///
/// ```
/// use tavrida::message::Failure;
///
/// fn parse(text: &str) -> Result<i64, Failure> {
///     if text.is_empty() {
///         return Err(Failure::new("billing.NoAmount", "an amount is needed").with_code(4000));
///     }
///     Ok(text.parse()?)
/// }
/// assert_eq!(parse("").unwrap_err().class(), "billing.NoAmount");
/// assert_eq!(parse("x").unwrap_err().class(), "core.num.error.ParseIntError");
/// ```
///
/// It is not itself a [`std::error::Error`], because that would prevent the conversion from all of these. Two failures are equal if they
/// look the same to a caller and carry the same marks.
#[derive(Clone)]
pub struct Failure(Box<Inner>);

/// Boxed, since every result of a handler has space for it.
#[derive(Clone)]
struct Inner {
    class: String,
    message: String,
    code: i64,
    /// JSON.
    detail: Option<Box<str>>,
    retryable: bool,
    permanent: bool,
    cause: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Failure {
    /// Creates a failure with the code 1000.
    ///
    /// `class` is usually a dotted path (`billing.Declined`), whose last part is the [`name`](Failure::name).
    pub fn new(class: impl Into<String>, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            class: class.into(),
            message: message.into(),
            code: UNKNOWN_CODE,
            detail: None,
            retryable: false,
            permanent: false,
            cause: None,
        }))
    }

    /// Sets another code.
    #[must_use = "the failure comes back with the code"]
    pub fn with_code(mut self, code: i64) -> Self {
        self.0.code = code;
        self
    }

    /// Adds a typed body, sent as `detail`.
    ///
    /// # Errors
    ///
    /// The body does not serialise.
    pub fn with_detail(mut self, body: &(impl Serialize + ?Sized)) -> Result<Self, Error> {
        let json = crate::json::to_string(body)
            .map_err(|error| Error::new(Kind::WrongResponse, format!("the body of an error: {error}")))?;
        self.0.detail = Some(json.into());
        Ok(self)
    }

    /// Adds a body that is known to be JSON.
    pub(crate) fn with_detail_json(mut self, json: &str) -> Self {
        self.0.detail = Some(json.into());
        self
    }

    /// Marks it as worth a retry: a server's retry policy then applies to calls too, which are otherwise answered with the error at once.
    #[must_use = "the failure comes back with the mark"]
    pub fn retryable(mut self) -> Self {
        self.0.retryable = true;
        self
    }

    /// Marks it as permanent: no retry policy retries the message. An [`Error`] that [is permanent](Error::is_permanent) becomes such a
    /// failure.
    #[must_use = "the failure comes back with the mark"]
    pub fn permanent(mut self) -> Self {
        self.0.permanent = true;
        self
    }

    /// Takes the marks of another failure.
    pub(crate) fn marked_as(mut self, other: &Self) -> Self {
        (self.0.retryable, self.0.permanent) = (other.0.retryable, other.0.permanent);
        self
    }

    /// Returns the class: a dotted path.
    pub fn class(&self) -> &str {
        &self.0.class
    }

    /// Returns the last part of the class.
    pub fn name(&self) -> &str {
        self.0.class.rsplit('.').next().unwrap_or_default()
    }

    /// Returns the text for people.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns the code.
    pub fn code(&self) -> i64 {
        self.0.code
    }

    /// Returns the typed body as JSON, if there is one.
    pub fn detail(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }

    /// Returns the first error of a type among those that this failure was converted from with `?`: the error itself, or one of its causes.
    pub fn cause<E: StdError + 'static>(&self) -> Option<&E> {
        cause(&**self.0.cause.as_ref()?)
    }

    /// Returns whether a retry is worth it.
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }

    /// Takes out the error that it was made of. That is a user's, and may panic when it is shown or dropped.
    pub(crate) fn take_cause(&mut self) -> Option<Arc<dyn StdError + Send + Sync>> {
        self.0.cause.take()
    }

    /// Records the error that it is made of.
    pub(super) fn caused_by(mut self, error: Arc<dyn StdError + Send + Sync>) -> Self {
        self.0.cause = Some(error);
        self
    }

    /// Returns whether a retry would fail as well.
    pub fn is_permanent(&self) -> bool {
        self.0.permanent
    }

    /// A failure with the class and the code of an error.
    pub(super) fn of_kind(own: &Error, text: String) -> Self {
        let failure = Self::new(own.class(), text).with_code(own.code());
        if own.is_permanent() { failure.permanent() } else { failure }
    }

    pub(crate) fn of_panic(panic: &(dyn Any + Send)) -> Self {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        let error =
            Error::new(crate::error::Kind::Panic, text.unwrap_or_else(|| "the handler panicked".to_owned()));
        error.into()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.0.class, self.0.code, self.0.message)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { class, message, code, detail, retryable, permanent, cause } = &*self.0;
        f.debug_struct("Failure")
            .field("class", class)
            .field("message", message)
            .field("code", code)
            .field("detail", detail)
            .field("retryable", retryable)
            .field("permanent", permanent)
            .field("cause", cause)
            .finish()
    }
}

impl PartialEq for Failure {
    fn eq(&self, other: &Self) -> bool {
        let parts = |failure: &Self| (failure.0.code, failure.0.retryable, failure.0.permanent);
        parts(self) == parts(other)
            && self.0.class == other.0.class
            && self.0.message == other.0.message
            && self.0.detail == other.0.detail
    }
}

/// Returns the first error of a type in a chain of causes.
pub(super) fn cause<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut causes =
        std::iter::successors(Some(error), |error: &&'a (dyn StdError + 'static)| (*error).source());
    causes.find_map(|error| error.downcast_ref())
}

/// A type that can be the error of a handler's result.
///
/// Implement it for your own error type with its own code or typed body:
///
/// ```
/// use tavrida::message::{Failure, IntoFailure};
///
/// struct Declined { reason: String }
///
/// impl IntoFailure for Declined {
///     fn into_failure(self) -> Failure {
///         Failure::new("billing.Declined", self.reason).with_code(4002)
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the error of a handler",
    label = "has no class and code for the caller to see",
    note = "return `tavrida::prelude::Result<T>`, whose error every `std::error::Error` becomes with `?`; or implement \
            `tavrida::message::IntoFailure` for `{Self}`"
)]
pub trait IntoFailure {
    /// Converts it to the failure that a caller sees.
    fn into_failure(self) -> Failure;
}

impl IntoFailure for Failure {
    fn into_failure(self) -> Failure {
        self
    }
}

impl IntoFailure for Error {
    fn into_failure(self) -> Failure {
        self.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    #[test]
    fn any_error_becomes_a_failure_with_its_type_as_class() {
        let failure = Failure::from(std::fmt::Error);
        assert_eq!((failure.class(), failure.name(), failure.code()), ("core.fmt.Error", "Error", 1000));
    }

    #[test]
    fn an_error_of_the_library_keeps_number_and_class() {
        let failure = Failure::from(Error::new(Kind::UnableToDiscover, "unknown"));
        assert_eq!((failure.class(), failure.code()), ("tavrida.exceptions.UnableToDiscover", 1007));
    }

    #[test]
    fn a_failure_knows_the_error_that_it_was_made_of() {
        let failure = Failure::from("x".parse::<i64>().unwrap_err());
        assert!(failure.cause::<std::num::ParseIntError>().is_some());
        assert!(failure.cause::<std::fmt::Error>().is_none());
        assert!(Failure::new("a.B", "no").cause::<std::num::ParseIntError>().is_none());
    }

    #[test]
    fn a_failure_stays_small_enough_to_be_returned_by_value() {
        assert!(size_of::<Failure>() <= 104, "{}", size_of::<Failure>());
    }

    #[test]
    fn a_panic_keeps_its_text() {
        assert_eq!(Failure::of_panic(&"boom").message(), "boom");
        assert_eq!(Failure::of_panic(&7).message(), "the handler panicked");
    }
}
