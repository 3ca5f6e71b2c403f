//! [`Fault`]: an error for the client, with RabbitMQ's codes and the form of its texts.

use std::fmt;

use super::effect::CloseReason;

/// An error: closes the channel, or the connection if the code is a hard one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    code: Code,
    text: String,
    method: Option<(u16, u16)>,
}

/// The reply codes that a client can provoke. Only a port sees frames that it cannot read.
#[cfg_attr(not(feature = "port"), expect(dead_code))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    ConnectionForced = 320,
    AccessRefused = 403,
    NotFound = 404,
    ResourceLocked = 405,
    PreconditionFailed = 406,
    FrameError = 501,
    CommandInvalid = 503,
    ChannelError = 504,
    UnexpectedFrame = 505,
    NotAllowed = 530,
    NotImplemented = 540,
    InternalError = 541,
}

impl Code {
    /// Returns whether an error of this code closes the connection (R2).
    fn is_hard(self) -> bool {
        match self {
            Self::AccessRefused | Self::NotFound | Self::ResourceLocked | Self::PreconditionFailed => false,
            Self::ConnectionForced
            | Self::FrameError
            | Self::CommandInvalid
            | Self::ChannelError
            | Self::UnexpectedFrame
            | Self::NotAllowed
            | Self::NotImplemented
            | Self::InternalError => true,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ConnectionForced => "CONNECTION_FORCED",
            Self::AccessRefused => "ACCESS_REFUSED",
            Self::NotFound => "NOT_FOUND",
            Self::ResourceLocked => "RESOURCE_LOCKED",
            Self::PreconditionFailed => "PRECONDITION_FAILED",
            Self::FrameError => "FRAME_ERROR",
            Self::CommandInvalid => "COMMAND_INVALID",
            Self::ChannelError => "CHANNEL_ERROR",
            Self::UnexpectedFrame => "UNEXPECTED_FRAME",
            Self::NotAllowed => "NOT_ALLOWED",
            Self::NotImplemented => "NOT_IMPLEMENTED",
            Self::InternalError => "INTERNAL_ERROR",
        }
    }
}

/// Something in the virtual host as error texts name it: formatted only if there is an error.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Named<'a> {
    pub(crate) kind: &'static str,
    pub(crate) name: &'a str,
    pub(crate) virtual_host: &'a str,
}

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, name, virtual_host } = self;
        write!(f, "{kind} '{name}' in vhost '{virtual_host}'")
    }
}

impl Fault {
    pub(crate) fn new(code: Code, explanation: impl AsRef<str>) -> Self {
        let text = shorten(format!("{} - {}", code.name(), explanation.as_ref()));
        Self { code, text, method: None }
    }

    pub(crate) fn access_refused(explanation: impl AsRef<str>) -> Self {
        Self::new(Code::AccessRefused, explanation)
    }

    pub(crate) fn not_found(explanation: impl AsRef<str>) -> Self {
        Self::new(Code::NotFound, explanation)
    }

    pub(crate) fn precondition_failed(explanation: impl AsRef<str>) -> Self {
        Self::new(Code::PreconditionFailed, explanation)
    }

    pub(crate) fn not_implemented(explanation: impl AsRef<str>) -> Self {
        Self::new(Code::NotImplemented, explanation)
    }

    /// Returns the fault of a method that the broker does not know at this place.
    pub(crate) fn unimplemented() -> Self {
        Self::new(Code::CommandInvalid, "unimplemented method")
    }

    pub(crate) fn second_open() -> Self {
        Self::new(Code::ChannelError, "second 'channel.open' seen")
    }

    /// Returns the fault with this method, whichever method caused it.
    pub(crate) fn of_method(self, class: u16, method: u16) -> Self {
        Self { method: Some((class, method)), ..self }
    }

    pub(crate) fn is_hard(&self) -> bool {
        self.code.is_hard()
    }

    /// Converts it to the reason of a close; `provoked_by` is the method that was called.
    pub(crate) fn into_reason(self, provoked_by: (u16, u16)) -> CloseReason {
        let (class, method) = self.method.unwrap_or(provoked_by);
        CloseReason { code: self.code as u16, text: self.text, class, method }
    }
}

/// Cuts a text of over 255 bytes to 252 and `...` (R1). RabbitMQ may cut in the middle of a character; what is left of it is shown as
/// U+FFFD, as everywhere where bytes are no UTF-8.
pub(crate) fn shorten(text: String) -> String {
    if text.len() <= 255 {
        return text;
    }
    String::from_utf8_lossy(&text.as_bytes()[..252]).into_owned() + "..."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r1_a_long_text_is_cut_to_252_bytes_and_dots() {
        let reason = Fault::not_found("q".repeat(300)).into_reason((50, 10));
        assert_eq!(reason.text.len(), 255);
        assert!(reason.text.starts_with("NOT_FOUND - qqq") && reason.text.ends_with("q..."));
        assert_eq!((reason.code, reason.class, reason.method), (404, 50, 10));
    }

    #[test]
    fn r2_soft_codes_are_those_of_the_channel() {
        assert!(!Fault::access_refused("x").is_hard());
        assert!(Fault::not_implemented("x").is_hard());
    }
}
