//! [`ServerConnection`]: the server's end of an AMQP connection, without I/O.
//!
//! Bytes go in by [`receive`](ServerConnection::receive); [`next`](ServerConnection::next) returns what the client calls, one [`Step`] at a time. The
//! caller executes it, and passes the broker's answers to [`effect`](ServerConnection::effect) and its deliveries to
//! [`deliver`](ServerConnection::deliver), before it asks for the next step. Bytes for the client come out of
//! [`output`](ServerConnection::output).

mod assembly;
mod confirms;
mod errors;
#[cfg(test)]
mod fuzz;
mod handshake;
mod login;
mod running;

use std::collections::BTreeMap;
use std::sync::Arc;

use tavrida::field::ShortString;

use self::assembly::Assembly;
use self::confirms::Confirms;
use super::settings::{LEAST_FRAME_MAX, PortSettings};
use super::wire::{self, FRAME_OVERHEAD, Frame, Kind};
use crate::core::{Arrival, CloseReason, ConnectionOptions, Effect, Method, MethodReply};

/// How many bytes wait for the client before no more deliveries are written: they stay with the broker, and the client has to read.
const ROOM: usize = 128 * 1024;

/// How many bytes wait for the client before nothing more is read from it. Answers are written though there is no [`ROOM`].
const PATIENCE: usize = 8 * 1024 * 1024;

/// What the client wants of the broker.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    /// It has logged in, to a virtual host that exists.
    Connect { virtual_host: ShortString, options: ConnectionOptions },
    /// It calls a method on a channel.
    Method { channel: u16, method: Method },
    /// As [`Method`](Step::Method), but the properties of the content are none: what the broker does not refuse for another reason
    /// [crashes](ServerConnection::crash).
    Unreadable { channel: u16, method: Method },
    /// It closes the connection.
    Close,
    /// The connection is closed because of what it sent.
    Abort,
}

/// How far a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The client has to send the header of the protocol.
    Header,
    /// The client has to log in.
    Starting,
    Tuning,
    Opening,
    Running,
    /// The port has closed the connection, and waits for the client to agree.
    Closing,
    /// What the client sent is no AMQP any more: only its end is waited for.
    Garbled,
    Ended,
}

impl Phase {
    /// Returns RabbitMQ's name of the phase.
    fn name(self) -> &'static str {
        match self {
            Self::Header | Self::Starting => "starting",
            Self::Tuning => "tuning",
            Self::Opening => "opening",
            Self::Running => "running",
            Self::Closing | Self::Garbled => "closing",
            Self::Ended => "closed",
        }
    }
}

/// A connection.
pub(super) struct ServerConnection {
    settings: Arc<PortSettings>,
    phase: Phase,
    input: Vec<u8>,
    /// How many bytes of the input are handled.
    handled: usize,
    output: Vec<u8>,
    frame_max: usize,
    heartbeat: u16,
    options: ConnectionOptions,
    abilities: Abilities,
    channels: BTreeMap<u16, ServerChannel>,
    confirms: Confirms,
    /// An alarm is raised, and this connection has published.
    blocked: bool,
    /// The broker has to be shown that the connection ended because of what it sent.
    aborts: bool,
}

/// The capabilities of the client that matter here.
#[derive(Debug, Default)]
struct Abilities {
    authentication_failure_close: bool,
    connection_blocked: bool,
}

/// A channel that the client has used.
#[derive(Debug, Default)]
struct ServerChannel {
    opened: bool,
    closing: bool,
    assembly: Assembly,
}

impl ServerConnection {
    pub(super) fn new(settings: Arc<PortSettings>) -> Self {
        Self {
            phase: Phase::Header,
            input: Vec::new(),
            handled: 0,
            output: Vec::new(),
            frame_max: LEAST_FRAME_MAX as usize,
            heartbeat: 0,
            options: ConnectionOptions::default(),
            abilities: Abilities::default(),
            channels: BTreeMap::new(),
            confirms: Confirms::default(),
            blocked: false,
            aborts: false,
            settings,
        }
    }

    /// Takes bytes from the client.
    #[cfg(test)]
    pub(super) fn receive(&mut self, bytes: &[u8]) {
        self.input().extend_from_slice(bytes);
    }

    /// Returns the buffer for bytes from the client, to append to.
    pub(super) fn input(&mut self) -> &mut Vec<u8> {
        self.input.drain(..self.handled);
        self.handled = 0;
        &mut self.input
    }

    /// Returns the bytes for the client. The caller removes those that it has sent.
    pub(super) fn output(&mut self) -> &mut Vec<u8> {
        self.confirms.flush(&mut self.output);
        &mut self.output
    }

    /// Returns whether bytes of the client are handled now.
    pub(super) fn reads(&self) -> bool {
        !self.blocked && self.phase != Phase::Ended && self.output.len() < PATIENCE
    }

    /// Returns whether a delivery may be written now.
    pub(super) fn has_room(&self) -> bool {
        self.phase == Phase::Running && self.output.len() < ROOM
    }

    /// Returns whether the client has logged in, and the connection is not closed.
    pub(super) fn is_open(&self) -> bool {
        self.phase == Phase::Running
    }

    /// Returns whether the port has closed the connection, and waits for the client.
    pub(super) fn is_closing(&self) -> bool {
        matches!(self.phase, Phase::Closing | Phase::Garbled)
    }

    /// Returns whether the socket can be closed when the output is sent.
    pub(super) fn has_ended(&self) -> bool {
        self.phase == Phase::Ended
    }

    /// Returns the seconds between heartbeats, of which 0 means none.
    pub(super) fn heartbeat(&self) -> u16 {
        self.heartbeat
    }

    /// Writes a heartbeat.
    pub(super) fn beat(&mut self) {
        if self.phase == Phase::Running {
            wire::heartbeat(self.output());
        }
    }

    /// Returns the next step of the client. `None` until more bytes arrive.
    pub(super) fn next(&mut self) -> Option<Step> {
        loop {
            if std::mem::take(&mut self.aborts) {
                return Some(Step::Abort);
            }
            if !self.reads() {
                return None;
            }
            match self.phase {
                Phase::Header => self.take_header()?,
                Phase::Garbled => {
                    self.input.clear();
                    self.handled = 0;
                    return None;
                }
                _ => {
                    if let Some(step) = self.take_frame()? {
                        return Some(step);
                    }
                }
            }
        }
    }

    /// Handles a frame. `None` if there is no whole one.
    fn take_frame(&mut self) -> Option<Option<Step>> {
        // The buffer is moved out so that frames can be slices of it.
        let input = std::mem::take(&mut self.input);
        let frame = Frame::read(&input[self.handled..], self.frame_max);
        let step = match frame {
            Ok(None) => None,
            Ok(Some(frame)) => {
                self.handled += frame.payload.len() + FRAME_OVERHEAD;
                Some(self.frame(frame))
            }
            Err((error, frame)) => {
                self.close(errors::bad_frame(error, frame));
                if self.phase == Phase::Closing {
                    self.phase = Phase::Garbled;
                }
                Some(None)
            }
        };
        self.input = input;
        step
    }

    fn frame(&mut self, frame: Frame<'_>) -> Option<Step> {
        if self.phase == Phase::Closing && frame.channel != 0 {
            // It is not looked at any more.
            return None;
        }
        if let Kind::Method { class, method, .. } = frame.kind()
            && wire::shape(class, method).is_none()
        {
            // RabbitMQ's reader crashes.
            return self.break_off();
        }
        match self.phase {
            Phase::Closing => self.closing_frame(frame),
            Phase::Running if frame.channel != 0 => self.channel_frame(frame),
            _ => self.connection_frame(frame),
        }
    }

    fn closing_frame(&mut self, frame: Frame<'_>) -> Option<Step> {
        match frame.kind() {
            Kind::Method { class: 10, method: 51, .. } => self.phase = Phase::Ended,
            Kind::Method { class: 10, method: 50, .. } => wire::connection::close_ok(self.output()),
            _ => {}
        }
        None
    }

    /// Ends without a word.
    fn break_off(&mut self) -> Option<Step> {
        let was_running = self.phase == Phase::Running;
        self.phase = Phase::Ended;
        was_running.then_some(Step::Abort)
    }

    /// Closes the connection. As RabbitMQ, it says nothing to a client that has not agreed on limits yet.
    fn close(&mut self, reason: CloseReason) {
        tracing::debug!(%reason, "connection of a port closed");
        match self.phase {
            Phase::Header | Phase::Starting | Phase::Tuning => self.phase = Phase::Ended,
            // It is closed once.
            Phase::Closing | Phase::Garbled | Phase::Ended => {}
            Phase::Opening | Phase::Running => self.say_close(&reason),
        }
    }

    /// Closes the connection as RabbitMQ does when a channel crashes.
    pub(super) fn crash(&mut self) {
        self.close(errors::internal_error());
    }

    fn say_close(&mut self, reason: &CloseReason) {
        self.aborts |= self.phase == Phase::Running;
        self.phase = Phase::Closing;
        self.blocked = false;
        wire::connection::close(reason, self.output());
    }

    /// Writes what the broker answers. [`Effect::Arrived`] is the caller's.
    pub(super) fn effect(&mut self, effect: Effect) {
        if self.phase != Phase::Running {
            return;
        }
        if let Effect::Confirm { channel, delivery_tag, ack } = effect {
            return self.confirms.push(channel.number, delivery_tag, ack, &mut self.output);
        }
        let frame_max = self.frame_max;
        match effect {
            Effect::Reply { channel, reply } => {
                wire::reply(channel.number, &reply, frame_max, self.output());
                if reply == MethodReply::ChannelCloseOk {
                    self.forget(channel.number, false);
                }
            }
            Effect::Return { channel, code, text, publication } => {
                wire::returned(channel.number, (code, &text), &publication, frame_max, self.output());
            }
            Effect::ChannelClosed { channel, reason } => {
                self.channels.entry(channel.number).or_default().closing = true;
                wire::connection::close_channel(channel.number, &reason, self.output());
            }
            Effect::ConnectionClosed { reason: Some(reason), .. } => {
                self.close(reason);
                self.aborts = false;
            }
            Effect::ConnectionClosed { reason: None, .. } => {
                self.output.clear();
                self.phase = Phase::Ended;
            }
            Effect::ConnectionCloseOk { .. } => {
                wire::connection::close_ok(self.output());
                self.phase = Phase::Ended;
            }
            Effect::Blocked { reason, .. } => {
                self.blocked = true;
                if self.abilities.connection_blocked {
                    wire::connection::blocked(&reason, self.output());
                }
            }
            Effect::Unblocked { .. } => {
                self.blocked = false;
                if self.abilities.connection_blocked {
                    wire::connection::unblocked(self.output());
                }
            }
            Effect::Arrived { .. } | Effect::Confirm { .. } => {}
        }
    }

    /// Writes what the broker sends on its own.
    pub(super) fn deliver(&mut self, channel: u16, arrival: &Arrival) {
        if self.phase == Phase::Running {
            let frame_max = self.frame_max;
            wire::arrival(channel, arrival, frame_max, self.output());
        }
    }

    /// Forgets a channel that is closed; one that the broker closed is closed when the client agrees.
    fn forget(&mut self, channel: u16, agrees: bool) {
        if self.channels.get(&channel).is_some_and(|known| known.closing == agrees) {
            self.channels.remove(&channel);
        }
    }
}
