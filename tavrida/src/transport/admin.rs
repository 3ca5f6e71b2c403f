//! [`Admin`]: changes what the broker holds.

use async_trait::async_trait;

use super::{Binding, Exchange, Queue, QueueStatus, SessionError};

/// Declares, checks, deletes and purges exchanges, queues and bindings; [`Session::admin`](super::Session::admin) returns it.
///
/// An operation has taken effect, for every session, when its future completes. Every method fails with [`SessionError::Lost`] once the
/// session has ended, and with [`SessionError::Refused`] if the broker refuses, with the broker's own code and text. Codes named below are
/// those of RabbitMQ.
///
/// # Cancel safety
///
/// Dropping a future leaves unknown whether the operation took effect.
#[async_trait]
pub trait Admin: Send + Sync {
    /// Declares an exchange. An existing one with the same fields is fine.
    ///
    /// # Errors
    ///
    /// Refused: 406 if it exists with other fields, 403 for a reserved name, 503 (scope connection) for an unknown type.
    async fn declare_exchange(&self, exchange: &Exchange) -> Result<(), SessionError>;

    /// Checks whether an exchange exists (a passive declare); its type and fields are not compared.
    ///
    /// # Errors
    ///
    /// Refused: 404 if it does not exist.
    async fn declare_exchange_passive(&self, name: &str) -> Result<(), SessionError>;

    /// Deletes an exchange with its bindings; a missing one is fine.
    ///
    /// # Errors
    ///
    /// Refused: 406 if `if_unused` and something is bound to it, 403 for a predeclared one.
    async fn delete_exchange(&self, name: &str, if_unused: bool) -> Result<(), SessionError>;

    /// Declares a queue. An existing one with the same fields is fine. For an empty name the broker generates one.
    ///
    /// # Errors
    ///
    /// Refused: 406 if it exists with other fields or an argument is invalid, 405 if it is exclusive to another session, 403 for a reserved
    /// name.
    async fn declare_queue(&self, queue: &Queue) -> Result<QueueStatus, SessionError>;

    /// Checks whether a queue exists (a passive declare). Returns its status.
    ///
    /// # Errors
    ///
    /// Refused: 404 if it does not exist, 405 if it is exclusive to another session.
    async fn declare_queue_passive(&self, name: &str) -> Result<QueueStatus, SessionError>;

    /// Deletes a queue. Returns how many ready messages it had. A missing queue is fine: 0.
    ///
    /// # Errors
    ///
    /// Refused: 406 if `if_unused` and it has consumers, or `if_empty` and it has ready messages.
    async fn delete_queue(&self, name: &str, if_unused: bool, if_empty: bool) -> Result<u32, SessionError>;

    /// Purges the ready messages of a queue. Returns their number. Unacknowledged ones stay.
    ///
    /// # Errors
    ///
    /// Refused: 404 if it does not exist.
    async fn purge_queue(&self, name: &str) -> Result<u32, SessionError>;

    /// Binds a queue or an exchange to an exchange. An existing equal binding is fine.
    ///
    /// # Errors
    ///
    /// Refused: 404 if either side does not exist, 403 for the default exchange, 406 for an invalid `x-match`.
    async fn bind(&self, binding: &Binding) -> Result<(), SessionError>;

    /// Deletes a binding; a missing one is fine.
    ///
    /// # Errors
    ///
    /// Refused: 403 for the default exchange.
    async fn unbind(&self, binding: &Binding) -> Result<(), SessionError>;
}
