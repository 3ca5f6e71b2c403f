//! Why a connection is closed by its port, in RabbitMQ's words.

use tavrida::field::MAX_DEPTH;

use super::super::wire::{Frame, FrameError, Malformed};
use crate::core::{CloseReason, Code, erlang, shorten};

/// Returns the reason of a close, for a method (0 and 0 for none).
pub(super) fn reason(code: Code, explanation: &str, (class, method): (u16, u16)) -> CloseReason {
    let text = shorten(format!("{} - {explanation}", code.name()));
    CloseReason { code: code as u16, text, class, method }
}

/// Returns what RabbitMQ shows of a frame: its type, and the first bytes of its payload.
fn excerpt(frame: Frame<'_>) -> String {
    let (how_many, bytes) = match frame.payload.get(..16) {
        Some(first) if frame.payload.len() > 16 => ("first 16", first),
        _ => ("all", frame.payload),
    };
    let text = format!("type {}, {how_many} octets = ", frame.octet);
    let bytes = erlang::binary_from(text.len(), bytes);
    text + &bytes
}

/// A frame that cannot be read.
pub(super) fn bad_frame(error: FrameError, frame: Frame<'_>) -> CloseReason {
    let what = match error {
        FrameError::TooLarge { size, max, .. } => format!("{{frame_too_large,{size},{max}}}"),
        FrameError::End(octet) => format!("{{invalid_frame_end_marker,{octet}}}"),
    };
    let text = excerpt(frame) + ": ";
    let column = text.len() - text.rfind('\n').map_or(0, |line| line + 1);
    reason(Code::FrameError, &(text + &erlang::pair_from(column, &what)), (0, 0))
}

/// A frame of a type that AMQP does not have.
pub(super) fn unknown_frame(frame: Frame<'_>) -> CloseReason {
    reason(Code::FrameError, &format!("{}: unknown_frame", excerpt(frame)), (0, 0))
}

/// A frame that has no place on its channel.
pub(super) fn unexpected_frame(frame: Frame<'_>) -> CloseReason {
    reason(Code::UnexpectedFrame, &excerpt(frame), (0, 0))
}

/// Arguments that are not those of their method. `None` ends the connection without a word: RabbitMQ's reader crashes.
pub(super) fn bad_arguments(malformed: Malformed, arguments: &[u8], id: (u16, u16)) -> Option<CloseReason> {
    Some(match malformed {
        Malformed::Length => {
            let numbers: Vec<String> = arguments.iter().map(u8::to_string).collect();
            reason(Code::FrameError, &format!("cannot decode <<{}>>", numbers.join(",")), id)
        }
        Malformed::Table => return None,
        Malformed::Text => reason(Code::FrameError, "Malformed UTF-8 in shortstr", (0, 0)),
        Malformed::Depth => too_deep(),
    })
}

/// As [`bad_arguments`], of a method of the connection: RabbitMQ catches what its parser throws, and knows only some of it.
pub(super) fn bad_connection_arguments(malformed: Malformed, id: (u16, u16)) -> CloseReason {
    match malformed {
        Malformed::Length | Malformed::Table => internal_error(),
        Malformed::Text => reason(Code::FrameError, "Malformed UTF-8 in shortstr", id),
        Malformed::Depth => too_deep(),
    }
}

/// Properties that cannot be read.
pub(super) fn bad_properties(malformed: Malformed) -> CloseReason {
    match malformed {
        // RabbitMQ's channel crashes.
        Malformed::Length | Malformed::Table => internal_error(),
        Malformed::Text => reason(Code::FrameError, "Malformed UTF-8 in shortstr", (0, 0)),
        Malformed::Depth => too_deep(),
    }
}

/// A part of RabbitMQ crashes.
pub(super) fn internal_error() -> CloseReason {
    CloseReason { code: 541, text: "INTERNAL_ERROR".to_owned(), class: 0, method: 0 }
}

fn too_deep() -> CloseReason {
    reason(Code::FrameError, &format!("table nests deeper than {MAX_DEPTH} levels"), (0, 0))
}
