//! [`Assembly`]: a method with its content, frame by frame.

use std::sync::Arc;

use tavrida::transport::Publication;

use super::super::wire::{Kind, read_properties};
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
}

impl ContentHead {
    fn with(self, body: Vec<u8>) -> Method {
        let publication = Publication { body: body.into(), ..self.publication };
        Method::BasicPublish { publication: Arc::new(publication), immediate: self.immediate }
    }
}

impl Assembly {
    /// Returns whether a method is expected.
    pub(super) fn is_idle(&self) -> bool {
        matches!(self, Self::Method)
    }

    /// Takes a frame of a content, or one that is there in place of it. Returns the method when it is complete.
    pub(super) fn content(&mut self, frame: Kind<'_>) -> Result<Option<Method>, CloseReason> {
        match (std::mem::take(self), frame) {
            (Self::Header(mut head), Kind::Header { class: 60, weight: 0, size, properties }) => {
                head.publication.properties = read_properties(properties).map_err(bad_properties)?;
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
