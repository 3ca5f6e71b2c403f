//! `notifications`: thanks the customer.

use std::sync::{Arc, Mutex};

use crate::contracts::OrderPlaced;

/// The mails that were sent. Clones are the same outbox.
#[derive(Debug, Clone, Default)]
pub struct Outbox(Arc<Mutex<Vec<u64>>>);

impl Outbox {
    /// Returns the orders that customers were thanked for.
    pub fn mails(&self) -> Vec<u64> {
        self.0.lock().expect("no panic at the outbox").clone()
    }
}

/// The service.
pub struct Notifications(pub Outbox);

#[tavrida::service("notifications")]
impl Notifications {
    #[subscribe(OrderPlaced)]
    async fn placed(&self, event: OrderPlaced) {
        // Sending it twice is harmless.
        self.0.0.lock().expect("no panic at the outbox").push(event.order);
    }
}
