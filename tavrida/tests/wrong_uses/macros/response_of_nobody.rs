//! Responses, errors and notifications without a source.
//!
//~ say whose responses: write `#[response("service.method")]` or, by a contract, `#[response(Charge)]`
//~ say whose errors: write `#[error("service.method")]` or, by a contract, `#[error(Charge)]`
//~ say whose notifications: write `#[subscribe("publisher.event")]` or, by a contract, `#[subscribe(Low)]`

use tavrida::prelude::*;

struct Hello;

#[tavrida::service("hello")]
impl Hello {
    #[response]
    async fn world(&self, response: Response) {}

    #[error]
    async fn world_failed(&self, error: ErrorReply) {}

    #[subscribe]
    async fn kicked(&self, notification: Notification) {}
}
