//! Keys, as the decorators of the original have them.
//!
//~ write `#[subscribe("publisher.event")]` or, by a contract, `#[subscribe(Low)]`

use tavrida::prelude::*;

struct Hello;

#[tavrida::service("hello")]
impl Hello {
    #[subscribe(service = "chuck", method = "kicked")]
    async fn kicked(&self, notification: Notification) {}
}
