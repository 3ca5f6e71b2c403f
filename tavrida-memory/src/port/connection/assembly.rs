//! [`Assembly`]: a method with its content, frame by frame.

use std::sync::Arc;

use tavrida::transport::Publication;

use super::super::wire::{Kind, Malformed, read_properties};
use super::errors::{bad_properties, reason};
use crate::core::{CloseReason, Code, Method};

/// `basic.publish`, the only method of a client that has a content.
const PUBLISH: (u16, u16) = (60, 40);

/// What a channel expects next.
#[derive(Debug, Default)]
pub(super) enum Assembly {
    #[default]
    Method,
    Header(ContentHead),
    Body {
        head: ContentHead,
        missing: u64,
        body: Vec<u8>,
    },
}

/// The fields of `basic.publish`.
#[derive(Debug, Default)]
pub(super) struct ContentHead {
    pub(super) publication: Publication,
    pub(super) immediate: bool,
    /// Its properties are none.
    pub(super) unreadable: bool,
}

/// A method with its content.
#[derive(Debug)]
pub(super) struct Assembled {
    pub(super) method: Method,
    /// Its properties are none: it is refused if the broker does not refuse it already.
    pub(super) unreadable: bool,
}

impl ContentHead {
    fn with(self, body: Vec<u8>) -> Assembled {
        let Self { publication, immediate, unreadable } = self;
        let publication = Arc::new(Publication { body: body.into(), ..publication });
        Assembled { method: Method::BasicPublish { publication, immediate }, unreadable }
    }
}

impl Assembly {
    /// Returns whether a method is expected.
    pub(super) fn is_idle(&self) -> bool {
        matches!(self, Self::Method)
    }

    /// Takes a frame of a content, or one that is there in place of it. Returns the method when it is complete.
    pub(super) fn content(&mut self, frame: Kind<'_>) -> Result<Option<Assembled>, CloseReason> {
        match (std::mem::take(self), frame) {
            (Self::Header(mut head), Kind::Header { class: 60, weight: 0, size, properties }) => {
                match read_properties(properties) {
                    Ok(properties) => head.publication.properties = properties,
                    // RabbitMQ reads them last.
                    Err(Malformed::Length | Malformed::Table) => head.unreadable = true,
                    Err(limit) => return Err(bad_properties(limit)),
                }
                if size == 0 {
                    return Ok(Some(head.with(Vec::new())));
                }
                *self = Self::Body { head, missing: size, body: Vec::new() };
                Ok(None)
            }
            (Self::Body { head, missing, mut body }, Kind::Body(part)) => {
                let missing = missing.checked_sub(part.len() as u64).ok_or_else(|| {
                    let text = format!("content body is {} octets too long", part.len() as u64 - missing);
                    reason(Code::FrameError, &text, PUBLISH)
                })?;
                body.extend_from_slice(part);
                if missing == 0 {
                    return Ok(Some(head.with(body)));
                }
                *self = Self::Body { head, missing, body };
                Ok(None)
            }
            (Self::Header(_), Kind::Header { class, .. }) if class != 60 => Err(reason(
                Code::UnexpectedFrame,
                &format!("expected content header for class 60, got one for class {class} instead"),
                PUBLISH,
            )),
            (Self::Header(_), _) => Err(reason(
                Code::UnexpectedFrame,
                "expected content header for class 60, got non content header frame instead",
                PUBLISH,
            )),
            (Self::Body { .. }, _) => Err(reason(
                Code::UnexpectedFrame,
                "expected content body, got non content body frame instead",
                PUBLISH,
            )),
            (Self::Method, _) => Err(reason(
                Code::UnexpectedFrame,
                "expected method frame, got non method frame instead",
                (0, 0),
            )),
        }
    }
}
