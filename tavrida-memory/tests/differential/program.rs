//! Programs: the operations of the clients of one run, step by step.

use tavrida_memory::core::{ChannelId, ConnectionId, Method, Operator};

/// The connections that programs use, each with channels 1 and 2; connection 3 reads the remaining contents at the end.
pub(crate) const CONNECTIONS: [ConnectionId; 2] = [ConnectionId(1), ConnectionId(2)];
/// The connection that reads the remaining contents at the end.
pub(crate) const AUDITOR: ConnectionId = ConnectionId(3);
/// The number of channels of a connection.
pub(crate) const CHANNELS: u16 = 2;

/// A program: the modes of its channels, and its steps.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Program {
    /// The modes of the channels, in the order 1.1, 1.2, 2.1, 2.2.
    pub(crate) modes: [Mode; 4],
    pub(crate) steps: Vec<Step>,
}

/// How a channel publishes; it is set whenever the channel is opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    #[default]
    Confirm,
    Plain,
    Transaction,
}

/// One operation of one channel.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Step {
    pub(crate) channel: ChannelId,
    pub(crate) op: Op,
}

/// One operation.
///
/// A name that starts with `$` stands for a generated one: `$q1` for the broker's first queue name, `$c1` for its first consumer tag, `$r1`
/// for its first reply address.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Op {
    Call(Method),
    Settle(Settle),
    CloseConnection,
    /// The socket of the connection breaks.
    Abort,
    /// An operator sets a policy or clears one.
    Operate(Operator),
    /// Calls that are sent before an answer is awaited: one after the other on the step's channel, or at the same time on several.
    Together(Vec<(ChannelId, Method)>),
    /// Lets this many milliseconds pass.
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

/// The kind of a settlement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Ack,
    Nack,
    Reject,
}

/// Which delivery is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tag {
    /// One of the channel's unsettled deliveries, the oldest first; the index wraps around. Without any it is tag 1.
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
