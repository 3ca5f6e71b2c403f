//! What a broker sends on a channel; both sides use these types.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use tavrida::transport::Publication;
use tavrida_memory::core::{Arrival, ChannelId, CloseReason, ConnectionId, Effect, MethodReply};

use crate::text;

/// What a broker sends because of a method, in order on a channel.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Said {
    Reply(MethodReply),
    Return {
        code: u16,
        text: String,
        publication: Arc<Publication>,
    },
    Confirm {
        delivery_tag: u64,
        ack: bool,
    },
    /// The channel was closed; channel 0 stands for its connection.
    Closed(CloseReason),
    /// The connection was closed by its client.
    ConnectionCloseOk,
    /// The connection published during an alarm.
    Blocked(String),
    /// The alarm that blocked the connection is over.
    Unblocked,
}

/// What came on a channel in one step. Answers and deliveries may overtake each other (R14, R166).
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Heard {
    pub(crate) said: Vec<Said>,
    pub(crate) arrived: Vec<Arrival>,
}

/// What came on all channels in one step; channels on which nothing came are left out.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Report(pub(crate) BTreeMap<ChannelId, Heard>);

impl Report {
    pub(crate) fn say(&mut self, channel: ChannelId, said: Said) {
        self.0.entry(channel).or_default().said.push(said);
    }

    pub(crate) fn arrive(&mut self, channel: ChannelId, arrival: Arrival) {
        self.0.entry(channel).or_default().arrived.push(arrival);
    }

    /// Discards what came on a channel in this step, because the channel was closed.
    pub(crate) fn forget(&mut self, channel: ChannelId) {
        if channel.number == 0 {
            self.0.retain(|other, _| other.connection != channel.connection);
        } else {
            self.0.remove(&channel);
        }
    }

    /// Returns whether all that is here may still become `whole`.
    pub(crate) fn begins(&self, whole: &Self) -> bool {
        self.0.iter().all(|(channel, heard)| {
            whole.0.get(channel).is_some_and(|whole| {
                begins(&whole.said, &heard.said, Said::line)
                    && begins(&whole.arrived, &heard.arrived, arrival_line)
            })
        })
    }

    /// Returns whether all that is expected on a connection has come.
    pub(crate) fn is_complete(&self, whole: &Self, connection: ConnectionId) -> bool {
        whole.0.iter().filter(|(channel, _)| channel.connection == connection).all(|(channel, whole)| {
            self.0.get(channel).is_some_and(|heard| {
                heard.said.len() >= whole.said.len() && heard.arrived.len() >= whole.arrived.len()
            })
        })
    }

    /// Returns one line for each thing that came.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (channel, heard) in &self.0 {
            let channel = text::channel(*channel);
            lines.extend(heard.said.iter().map(|said| format!("{channel} {}", said.line())));
            lines.extend(heard.arrived.iter().map(|arrival| format!("{channel} {}", arrival_line(arrival))));
        }
        lines
    }
}

impl Said {
    /// Returns what an effect sends on a channel. `None` for an effect without output.
    pub(crate) fn of(effect: Effect) -> Option<(ChannelId, Self)> {
        Some(match effect {
            Effect::Reply { channel, reply } => (channel, Self::Reply(reply)),
            Effect::Return { channel, code, text, publication } => {
                (channel, Self::Return { code, text: text.to_string(), publication })
            }
            Effect::Confirm { channel, delivery_tag, ack } => (channel, Self::Confirm { delivery_tag, ack }),
            Effect::ChannelClosed { channel, reason } => (channel, Self::Closed(reason)),
            Effect::ConnectionClosed { connection, reason } => {
                (connection.channel(0), Self::Closed(reason.expect("no program aborts a connection")))
            }
            Effect::ConnectionCloseOk { connection } => (connection.channel(0), Self::ConnectionCloseOk),
            Effect::Blocked { connection, reason } => (connection.channel(0), Self::Blocked(reason)),
            Effect::Unblocked { connection } => (connection.channel(0), Self::Unblocked),
            _ => return None,
        })
    }

    fn line(&self) -> String {
        match self {
            Self::Reply(MethodReply::BasicGetOk(got)) => {
                let mut line = format!("get-ok tag={}", got.delivery_tag);
                if got.redelivered {
                    line.push_str(" redelivered");
                }
                let _ = write!(line, " left={} {}", got.message_count, text::publication(&got.publication));
                line
            }
            Self::Reply(reply) => format!("{reply:?}"),
            Self::Return { code, text, publication } => {
                format!("return {code} {text} {}", text::publication(publication))
            }
            Self::Confirm { delivery_tag, ack } => {
                format!("{} {delivery_tag}", if *ack { "confirm" } else { "refuse" })
            }
            Self::Closed(reason) => format!("closed {reason}"),
            Self::ConnectionCloseOk => "connection.close-ok".to_owned(),
            Self::Blocked(reason) => format!("connection.blocked {reason}"),
            Self::Unblocked => "connection.unblocked".to_owned(),
        }
    }
}

/// Compares values, and their texts: these show the order of headers, which values do not compare.
fn begins<T: PartialEq>(whole: &[T], part: &[T], line: impl Fn(&T) -> String) -> bool {
    whole.starts_with(part) && whole.iter().zip(part).all(|(whole, part)| line(whole) == line(part))
}

fn arrival_line(arrival: &Arrival) -> String {
    match arrival {
        Arrival::Delivery(delivered) => format!(
            "deliver {} tag={}{} {}",
            delivered.consumer_tag,
            delivered.delivery_tag,
            if delivered.redelivered { " redelivered" } else { "" },
            text::publication(&delivered.publication)
        ),
        Arrival::Cancel { consumer_tag } => format!("cancel {consumer_tag}"),
    }
}
