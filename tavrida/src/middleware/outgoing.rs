//! [`Outgoing`]: before a message leaves.

use std::sync::Arc;

use async_trait::async_trait;

use crate::message::{Failure, Message, MessageKind};

/// Code that runs on messages before they are sent.
#[async_trait]
pub trait Outgoing: Send + Sync + 'static {
    /// Works on one message and gives what is to be sent, of the same kind.
    ///
    /// # Errors
    ///
    /// Nothing is sent. A reply that could not be sent is treated by the failure policy; any other send fails with this.
    async fn handle(&self, message: Message) -> Result<Message, Failure>;

    /// Which kinds it wants to see: responses and errors, unless it says otherwise.
    fn sees(&self, kind: MessageKind) -> bool {
        matches!(kind, MessageKind::Response | MessageKind::Error)
    }
}

/// Passes a message through all that want to see it, in order of addition.
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
