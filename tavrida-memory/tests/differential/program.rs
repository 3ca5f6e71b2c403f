//! Programs: what the clients of one run do, step by step.

use tavrida_memory::core::{ChannelId, ConnectionId, Method};

/// The connections that programs use, each with channels 1 and 2; connection 3 looks at what is left at the end.
pub(crate) const CONNECTIONS: [ConnectionId; 2] = [ConnectionId(1), ConnectionId(2)];
/// The connection that looks at what is left at the end.
pub(crate) const AUDITOR: ConnectionId = ConnectionId(3);
/// How many channels a connection has.
pub(crate) const CHANNELS: u16 = 2;

/// A program: how its channels publish, and its steps.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Program {
    /// How the channels publish, in the order 1.1, 1.2, 2.1, 2.2.
    pub(crate) modes: [Mode; 4],
    pub(crate) steps: Vec<Step>,
}

/// How a channel publishes; it is put into this mode whenever it is opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    #[default]
    Confirm,
    Plain,
    Transaction,
}

/// What one channel does.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Step {
    pub(crate) channel: ChannelId,
    pub(crate) op: Op,
}

/// One operation.
///
/// A name that starts with `$` stands for one that the broker made up: `$q1` for its first queue name, `$c1` for its first
/// consumer tag, `$r1` for its first reply address.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Op {
    Call(Method),
    Settle(Settle),
    CloseConnection,
    /// Lets so many milliseconds pass.
    Wait(u64),
}

/// `basic.ack`, `basic.nack` or `basic.reject`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settle {
    pub(crate) verdict: Verdict,
    pub(crate) tag: Tag,
    pub(crate) multiple: bool,
    pub(crate) requeue: bool,
}

/// What a settlement says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Ack,
    Nack,
    Reject,
}

/// Which delivery is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tag {
    /// One of the channel's unsettled deliveries, the oldest first; counted round and round. None there is: tag 1.
    Nth(usize),
    /// The delivery of this tag.
    Number(u64),
}

impl Settle {
    pub(crate) fn into_method(self, delivery_tag: u64) -> Method {
        let Self { verdict, multiple, requeue, .. } = self;
        match verdict {
            Verdict::Ack => Method::BasicAck { delivery_tag, multiple },
            Verdict::Nack => Method::BasicNack { delivery_tag, multiple, requeue },
            Verdict::Reject => Method::BasicReject { delivery_tag, requeue },
        }
    }
}

impl Program {
    pub(crate) fn mode(&self, channel: ChannelId) -> Mode {
        match channel.connection {
            AUDITOR => Mode::Plain,
            ConnectionId(connection) => {
                let place = (connection - 1) * u32::from(CHANNELS) + u32::from(channel.number) - 1;
                self.modes[place as usize]
            }
        }
    }
}
