//! Frames of a connection: those of channel 0, and those of its channels.

use tavrida::transport::Publication;

use super::super::wire::{Frame, Incoming, Kind, connection, decode};
use super::assembly::{Assembled, Assembly, ContentHead};
use super::errors::{bad_arguments, bad_connection_arguments, reason, unexpected_frame, unknown_frame};
use super::{Phase, ServerConnection, Step};
use crate::core::{CloseReason, Code, Method};

impl ServerConnection {
    /// Handles a frame of the connection as a whole.
    pub(super) fn connection_frame(&mut self, frame: Frame<'_>) -> Option<Step> {
        let (class, method, arguments) = match frame.kind() {
            Kind::Heartbeat if frame.channel == 0 => return None,
            Kind::Method { class, method, arguments } if frame.channel == 0 => (class, method, arguments),
            Kind::Unknown => return self.refuse(unknown_frame(frame)),
            _ => return self.refuse(unexpected_frame(frame)),
        };
        let incoming = match decode(class, method, arguments) {
            Ok(incoming) => incoming,
            Err(malformed) => return self.refuse(bad_connection_arguments(malformed, (class, method))),
        };
        match (self.phase, incoming) {
            (Phase::Running, Incoming::Close) => Some(Step::Close),
            (Phase::Running, Incoming::UpdateSecret) => {
                connection::update_secret_ok(self.output());
                None
            }
            (_, Incoming::Close) => {
                connection::close_ok(self.output());
                self.phase = Phase::Ended;
                None
            }
            (_, incoming) => self.shake_hands(incoming).unwrap_or_else(|| {
                let text = format!("unexpected method in connection state {}", self.phase.name());
                self.refuse(reason(Code::ChannelError, &text, (class, method)))
            }),
        }
    }

    /// Handles a frame of a channel.
    pub(super) fn channel_frame(&mut self, frame: Frame<'_>) -> Option<Step> {
        let number = frame.channel;
        let channel = self.channels.entry(number).or_default();
        let Assembled { method, unreadable } = match frame.kind() {
            Kind::Unknown => return self.refuse(unknown_frame(frame)),
            Kind::Heartbeat => return self.refuse(unexpected_frame(frame)),
            Kind::Method { class, method, arguments } if channel.assembly.is_idle() => {
                return self.channel_method(number, (class, method), arguments);
            }
            kind => match channel.assembly.content(kind) {
                Ok(method) => method?,
                Err(reason) => return self.refuse(reason),
            },
        };
        Some(if unreadable {
            Step::Unreadable { channel: number, method }
        } else {
            Step::Method { channel: number, method }
        })
    }

    fn channel_method(&mut self, number: u16, id: (u16, u16), arguments: &[u8]) -> Option<Step> {
        let channel = self.channels.entry(number).or_default();
        let incoming = match decode(id.0, id.1, arguments) {
            Ok(incoming) => incoming,
            Err(malformed) => {
                return match bad_arguments(malformed, arguments, id) {
                    Some(reason) => self.refuse(reason),
                    None => self.break_off(),
                };
            }
        };
        let method = match incoming {
            Incoming::Publish { exchange, routing_key, mandatory, immediate } => {
                let publication = Publication { exchange, routing_key, mandatory, ..Publication::default() };
                channel.assembly =
                    Assembly::Header(ContentHead { publication, immediate, unreadable: false });
                return None;
            }
            Incoming::Method(method) => method,
            _ if channel.closing => return None,
            _ if !channel.opened => {
                return self.refuse(reason(Code::ChannelError, "expected 'channel.open'", id));
            }
            Incoming::AccessRequest => {
                connection::access_ok(number, self.output());
                return None;
            }
            _ => return self.refuse(reason(Code::CommandInvalid, "unimplemented method", id)),
        };
        match method {
            Method::ChannelOpen => channel.opened = true,
            Method::ChannelCloseOk => self.forget(number, true),
            _ => {}
        }
        Some(Step::Method { channel: number, method })
    }

    /// Closes the connection because of a frame.
    fn refuse(&mut self, reason: CloseReason) -> Option<Step> {
        self.close(reason);
        None
    }
}
