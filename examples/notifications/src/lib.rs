//! One publisher, two subscribers in one server, one of them with subscriptions only. The publisher learns of an event without a
//! subscriber.

use example_support::{Broker, Story};
use serde::{Deserialize, Serialize};
use tavrida::prelude::*;

/// An order was created.
#[derive(Serialize, Deserialize, Event)]
#[event("orders.created")]
struct Created {
    id: u64,
}

/// An order was archived; no service here subscribes to it.
#[derive(Serialize, Deserialize, Event)]
#[event("orders.archived")]
struct Archived {
    id: u64,
}

struct Orders(Story);

#[tavrida::service("orders", emits = [Created, Archived])]
impl Orders {
    #[rpc]
    async fn create(&self, proxy: Proxy, id: u64) -> Result<()> {
        let created = proxy.emit(Created { id }).await?;
        self.0.tell(format!("orders: order {id} is created, and that was {created:?}"));
        let archived = proxy.emit(Archived { id }).await?;
        self.0.tell(format!("orders: order {id} is archived, and that was {archived:?}"));
        Ok(())
    }
}

struct Billing(Story);

#[tavrida::service("billing")]
impl Billing {
    #[subscribe(Created)]
    async fn bill(&self, notification: Notification, order: Created) {
        self.0.tell(format!("billing: heard {} of order {}", notification.source(), order.id));
    }
}

struct Audit(Story);

#[tavrida::service("audit")]
impl Audit {
    #[subscribe(Created)]
    async fn note(&self, notification: Notification, order: Created) {
        self.0.tell(format!("audit: heard {} of order {}", notification.source(), order.id));
    }
}

/// Runs all services and a client. Returns what happened, line by line.
///
/// # Errors
///
/// The first error.
pub async fn app(broker: Broker) -> Result<Vec<String>> {
    let story = Story::new();
    let publishes = Registry::new().local_publisher("orders", "orders_notifications");
    let hears = Registry::new().remote_publisher("orders", "orders_notifications");
    let subscribers = Server::builder(broker.clone())
        .queue("subscribers")
        .exchange("subscribers_exchange")
        .service(Billing(story.clone()).into_service())
        .service(Audit(story.clone()).into_service())
        .discovery(hears)
        .start()
        .await?;
    let publisher = Server::builder(broker.clone())
        .queue("orders")
        .exchange("orders_exchange")
        .service(Orders(story.clone()).into_service())
        .discovery(publishes)
        .start()
        .await?;

    let registry = Registry::new().remote_service("orders", "orders_exchange");
    let client = Client::builder(broker).source("shop").discovery(registry).build().await?;
    client.to("orders.create").param("id", 7).cast().await?;
    for told in ["billing: heard", "audit: heard", "that was Unheard"] {
        story.until(told).await?;
    }

    client.close().await;
    publisher.shutdown().await?;
    subscribers.shutdown().await?;
    Ok(story.lines())
}
