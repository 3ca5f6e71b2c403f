//! [`Error`]: what failed, with the code that it has on the wire.
//!
//! Modules with their own error types implement `From<TheirError> for Error`; this module knows none of them.

use std::borrow::Cow;
use std::fmt;

/// An error of this library.
///
/// It is opaque: query it ([`is_timeout`](Error::is_timeout), ...), print it, or read its [`source`](std::error::Error::source). Its
/// [`code`](Error::code) and [`class`](Error::class) are what a caller in another process sees in the error reply.
pub struct Error {
    kind: Kind,
    text: Cow<'static, str>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The kind of an error. Names and codes are those of the Python original's `tavrida.exceptions`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    FieldMustExist,
    UnsuitableFieldValue,
    FieldMustFullyDefined,
    HandlerNotFound,
    WrongEntryPointFormat,
    UnableToDiscover,
    WrongResponse,
    ServiceNotFound,
    DuplicatedServiceRegistration,
    DuplicatedEntryPointRegistration,
    ServiceIsNotRegister,
    ForbiddenHeaders,
    CantRegisterRemotePublisher,
    IncorrectOutgoingMessage,
    IncorrectMessage,
    ConfigFile,
    /// A parameter is missing or ill-typed. The original raises ValueError, which has no code.
    WrongParameters,
    /// A server, client or service has an invalid configuration.
    Build,
    Timeout,
    Closed,
    Unroutable,
    /// The broker refused a message for a temporary reason.
    Refused,
    /// The broker refused a message because of its content.
    Unacceptable,
    Ambiguous,
    Panic,
    Transport,
    /// Handlers of a server wait for each other.
    Cycle,
}

impl Kind {
    /// Returns the code on the wire, and the last part of the class.
    const fn wire(self) -> (i64, &'static str) {
        match self {
            Self::FieldMustExist => (1001, "FieldMustExist"),
            Self::UnsuitableFieldValue => (1002, "UnsuitableFieldValue"),
            Self::FieldMustFullyDefined => (1003, "FieldMustFullyDefined"),
            Self::HandlerNotFound => (1004, "HandlerNotFound"),
            Self::WrongEntryPointFormat => (1006, "WrongEntryPointFormat"),
            Self::UnableToDiscover => (1007, "UnableToDiscover"),
            Self::WrongResponse => (1009, "WrongResponse"),
            Self::ServiceNotFound => (1022, "ServiceNotFound"),
            Self::DuplicatedServiceRegistration => (1023, "DuplicatedServiceRegistration"),
            Self::DuplicatedEntryPointRegistration => (1024, "DuplicatedEntryPointRegistration"),
            Self::ServiceIsNotRegister => (1026, "ServiceIsNotRegister"),
            Self::ForbiddenHeaders => (1029, "ForbiddenHeaders"),
            Self::CantRegisterRemotePublisher => (1030, "CantRegisterRemotePublisher"),
            Self::IncorrectOutgoingMessage => (1031, "IncorrectOutgoingMessage"),
            Self::IncorrectMessage => (1031, "IncorrectMessage"),
            Self::ConfigFile => (1050, "ConfigFileIsNotDefined"),
            Self::WrongParameters => (UNKNOWN_CODE, "WrongParameters"),
            Self::Build => (UNKNOWN_CODE, "Build"),
            Self::Timeout => (UNKNOWN_CODE, "Timeout"),
            Self::Closed => (UNKNOWN_CODE, "Closed"),
            Self::Unroutable => (UNKNOWN_CODE, "Unroutable"),
            Self::Refused | Self::Unacceptable => (UNKNOWN_CODE, "Refused"),
            Self::Ambiguous => (UNKNOWN_CODE, "Ambiguous"),
            Self::Panic => (UNKNOWN_CODE, "Panic"),
            Self::Transport => (UNKNOWN_CODE, "Transport"),
            Self::Cycle => (UNKNOWN_CODE, "Cycle"),
        }
    }

    /// Returns an error of this kind without a text of its own. It is the source of this library's other error types, so that a failure made
    /// of them has the class and the code of the kind.
    pub(crate) fn source(self) -> &'static (dyn std::error::Error + 'static) {
        const fn bare(kind: Kind) -> Error {
            Error { kind, text: Cow::Borrowed(kind.wire().1), source: None }
        }
        /// In the order of the kinds.
        static BARE: [Error; 27] = [
            bare(Kind::FieldMustExist),
            bare(Kind::UnsuitableFieldValue),
            bare(Kind::FieldMustFullyDefined),
            bare(Kind::HandlerNotFound),
            bare(Kind::WrongEntryPointFormat),
            bare(Kind::UnableToDiscover),
            bare(Kind::WrongResponse),
            bare(Kind::ServiceNotFound),
            bare(Kind::DuplicatedServiceRegistration),
            bare(Kind::DuplicatedEntryPointRegistration),
            bare(Kind::ServiceIsNotRegister),
            bare(Kind::ForbiddenHeaders),
            bare(Kind::CantRegisterRemotePublisher),
            bare(Kind::IncorrectOutgoingMessage),
            bare(Kind::IncorrectMessage),
            bare(Kind::ConfigFile),
            bare(Kind::WrongParameters),
            bare(Kind::Build),
            bare(Kind::Timeout),
            bare(Kind::Closed),
            bare(Kind::Unroutable),
            bare(Kind::Refused),
            bare(Kind::Unacceptable),
            bare(Kind::Ambiguous),
            bare(Kind::Panic),
            bare(Kind::Transport),
            bare(Kind::Cycle),
        ];
        &BARE[self as usize]
    }
}

/// The code of errors without a specific one.
pub const UNKNOWN_CODE: i64 = 1000;

impl Error {
    pub(crate) fn new(kind: Kind, text: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, text: text.into(), source: None }
    }

    pub(crate) fn caused_by(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Returns the code of this error in an error reply: that of the corresponding exception of the original (1001 to 1050), or 1000.
    pub fn code(&self) -> i64 {
        self.kind.wire().0
    }

    /// Returns the class of this error in an error reply, such as `tavrida.exceptions.UnableToDiscover`.
    pub fn class(&self) -> String {
        format!("tavrida.exceptions.{}", self.kind.wire().1)
    }

    /// Returns whether something did not happen in time.
    pub fn is_timeout(&self) -> bool {
        self.kind == Kind::Timeout
    }

    /// Returns whether the server, client or session has ended.
    pub fn is_closed(&self) -> bool {
        self.kind == Kind::Closed
    }

    /// Returns whether no discovery knows the service or publisher.
    pub fn is_undiscovered(&self) -> bool {
        self.kind == Kind::UnableToDiscover
    }

    /// Returns whether a message was routed to no queue.
    pub fn is_unroutable(&self) -> bool {
        self.kind == Kind::Unroutable
    }

    /// Returns whether the broker refused it.
    pub fn is_refused(&self) -> bool {
        matches!(self.kind, Kind::Refused | Kind::Unacceptable)
    }

    /// Returns whether a retry fails as well, until code or configuration changes: the address is malformed, no discovery knows the service
    /// or publisher, or the broker cannot accept the message because of its content (too large, an invalid property).
    pub fn is_permanent(&self) -> bool {
        matches!(
            self.kind,
            Kind::UnableToDiscover
                | Kind::WrongEntryPointFormat
                | Kind::ForbiddenHeaders
                | Kind::UnsuitableFieldValue
                | Kind::FieldMustFullyDefined
                | Kind::Unacceptable
        )
    }

    /// Returns whether it is unknown if the broker accepted a message.
    pub fn is_ambiguous(&self) -> bool {
        self.kind == Kind::Ambiguous
    }

    /// Whether handlers of one server wait for each other, so that none of them can be answered.
    pub fn is_cycle(&self) -> bool {
        self.kind == Kind::Cycle
    }

    /// Returns whether a server, client or service has an invalid configuration.
    pub fn is_build(&self) -> bool {
        matches!(
            self.kind,
            Kind::Build
                | Kind::DuplicatedEntryPointRegistration
                | Kind::DuplicatedServiceRegistration
                | Kind::WrongEntryPointFormat
        )
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Error");
        debug.field("kind", &self.kind).field("text", &self.text);
        if let Some(source) = &self.source {
            debug.field("source", source);
        }
        debug.finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn std::error::Error + 'static))
    }
}

impl From<crate::field::TooLongError> for Error {
    fn from(error: crate::field::TooLongError) -> Self {
        Self::new(Kind::UnsuitableFieldValue, error.to_string())
    }
}

impl From<crate::entry_point::EntryPointError> for Error {
    fn from(error: crate::entry_point::EntryPointError) -> Self {
        Self::new(Kind::WrongEntryPointFormat, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_the_number_and_class_of_the_original() {
        let error = Error::new(Kind::UnableToDiscover, "nobody knows 'nope'");
        assert_eq!(error.code(), 1007);
        assert_eq!(error.class(), "tavrida.exceptions.UnableToDiscover");
        assert!(error.is_undiscovered());
    }

    #[test]
    fn the_text_is_of_one_level_and_the_cause_is_the_source() {
        let cause = "a.b.c".parse::<crate::EntryPoint>().unwrap_err();
        let error = Error::new(Kind::Build, "the source is wrong").caused_by(cause);
        assert_eq!(error.to_string(), "the source is wrong");
        let source = std::error::Error::source(&error).expect("kept").to_string();
        assert!(source.contains("more than one dot"), "{source}");
    }

    #[test]
    fn the_source_of_a_kind_is_of_that_kind() {
        for kind in [Kind::FieldMustExist, Kind::UnableToDiscover, Kind::Build, Kind::Closed, Kind::Cycle] {
            let source = kind.source().downcast_ref::<Error>().expect("it is one");
            assert_eq!((source.kind, source.to_string().as_str()), (kind, kind.wire().1));
        }
    }

    #[test]
    fn an_error_is_small_enough_to_be_returned_by_value() {
        assert!(size_of::<Error>() <= 48, "{}", size_of::<Error>());
    }
}
