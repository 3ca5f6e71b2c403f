//! [`Confirms`]: several confirms in one frame.

use super::super::wire::confirm;

/// Confirms in a row that are not sent yet.
///
/// The broker confirms each publish, in order. RabbitMQ confirms several publishes at once when it has handled several before it sends; so
/// does this, for what arrived together.
#[derive(Debug, Default)]
pub(super) struct Confirms(Option<Run>);

#[derive(Debug)]
struct Run {
    channel: u16,
    ack: bool,
    first: u64,
    last: u64,
}

impl Confirms {
    /// Adds one, and sends the others if it does not continue them.
    pub(super) fn push(&mut self, channel: u16, delivery_tag: u64, ack: bool, out: &mut Vec<u8>) {
        match &mut self.0 {
            Some(run) if run.channel == channel && run.ack == ack && run.last + 1 == delivery_tag => {
                run.last = delivery_tag;
            }
            _ => {
                self.flush(out);
                self.0 = Some(Run { channel, ack, first: delivery_tag, last: delivery_tag });
            }
        }
    }

    /// Sends what waits.
    pub(super) fn flush(&mut self, out: &mut Vec<u8>) {
        if let Some(Run { channel, ack, first, last }) = self.0.take() {
            confirm(channel, last, first != last, ack, out);
        }
    }
}
