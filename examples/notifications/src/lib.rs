//! One publisher, two subscribers in one server, one of them with subscriptions alone. Nobody's hearing is told.

use example_support::{Broker, Result, Running, Story};
use tavrida::prelude::*;

async fn create(story: State<Story>, proxy: Proxy, id: u64) -> tavrida::prelude::Result<()> {
    let created = proxy.publish().event("created").param("id", id).send().await?;
    story.tell(format!("orders: order {id} is created, and that was {created:?}"));
    let archived = proxy.publish().event("archived").param("id", id).send().await?;
    story.tell(format!("orders: order {id} is archived, and that was {archived:?}"));
    Ok(())
}

async fn bill(story: State<Story>, notification: Notification, id: u64) {
    story.tell(format!("billing: heard {} of order {id}", notification.source()));
}

async fn audit(story: State<Story>, notification: Notification, id: u64) {
    story.tell(format!("audit: heard {} of order {id}", notification.source()));
}

fn orders(story: Story) -> Service {
    let registry = Registry::new().local_publisher("orders", "orders_notifications");
    Service::new("orders").state(story).rpc("create", params(["id"], create)).discovery(registry)
}

fn subscriber(name: &str, story: Story) -> Service {
    let registry = Registry::new().remote_publisher("orders", "orders_notifications");
    Service::new(name).state(story).discovery(registry)
}

/// Runs all services and a client, and gives what happened.
///
/// # Errors
///
/// Whatever goes wrong first.
pub async fn app(broker: Broker) -> Result<Vec<String>> {
    let story = Story::new();
    let subscribers = Running::start(
        Server::builder(broker.clone())
            .queue("subscribers")
            .exchange("subscribers_exchange")
            .service(
                subscriber("billing", story.clone()).on_notification("orders.created", params(["id"], bill)),
            )
            .service(
                subscriber("audit", story.clone()).on_notification("orders.created", params(["id"], audit)),
            )
            .build()?,
    )
    .await?;
    let publisher = Running::start(
        Server::builder(broker.clone())
            .queue("orders")
            .exchange("orders_exchange")
            .service(orders(story.clone()))
            .build()?,
    )
    .await?;

    let registry = Registry::new().remote_service("orders", "orders_exchange");
    let client = Client::builder(broker).source("shop").discovery(registry).build().await?;
    client.to("orders.create").param("id", 7).cast().await?;
    for told in ["billing: heard", "audit: heard", "that was Unheard"] {
        story.until(told).await?;
    }

    client.close().await;
    publisher.stop().await?;
    subscribers.stop().await?;
    Ok(story.lines())
}
