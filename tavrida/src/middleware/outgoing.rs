//! [`Outgoing`]: middleware before a message is sent.

use std::sync::Arc;

use async_trait::async_trait;

use crate::message::{Failure, Message, MessageKind};

/// Code that runs on messages before they are sent.
#[async_trait]
pub trait Outgoing: Send + Sync + 'static {
    /// Processes one message. Returns the message to send, of the same kind.
    ///
    /// # Errors
    ///
    /// The message is not sent. A reply that could not be sent is handled by the failure policy; any other send fails with this error.
    async fn handle(&self, message: Message) -> Result<Message, Failure>;

    /// Returns whether it sees messages of this kind. The default is responses and errors.
    fn sees(&self, kind: MessageKind) -> bool {
        matches!(kind, MessageKind::Response | MessageKind::Error)
    }
}

/// Passes a message through all middleware that sees it, in order of addition.
pub(crate) async fn pass(chain: &[Arc<dyn Outgoing>], mut message: Message) -> Result<Message, Failure> {
    for middleware in chain {
        let kind = message.kind();
        if !middleware.sees(kind) {
            continue;
        }
        message = middleware.handle(message).await?;
        if message.kind() != kind {
            let text = format!("an outgoing middleware made a {} of a {kind}", message.kind());
            return Err(crate::Error::new(crate::error::Kind::IncorrectOutgoingMessage, text).into());
        }
    }
    Ok(message)
}
