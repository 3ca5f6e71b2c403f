//! Every example tells the same story on a real RabbitMQ as on the broker in the process.

use std::sync::Arc;

use example_support::{Broker, Result};
use tavrida_amqp::{AmqpConfig, AmqpTransport};
use tavrida_memory::MemoryBroker;
use tavrida_testkit::rabbitmq;

/// The lines in an order of their own: services tell theirs as they come to them.
async fn told(app: impl AsyncFn(Broker) -> Result<Vec<String>>, broker: Broker) -> Vec<String> {
    let mut lines = app(broker).await.expect("the example goes well");
    lines.sort();
    lines
}

async fn same_on_both(app: impl AsyncFn(Broker) -> Result<Vec<String>>) {
    let vhost = rabbitmq::shared_vhost().await.expect("a RabbitMQ node");
    let config = AmqpConfig::from_uri(&vhost.uri()).expect("a URI");
    let on_rabbitmq = told(&app, Arc::new(AmqpTransport::new(config))).await;
    let in_memory = told(&app, Arc::new(MemoryBroker::new().transport())).await;
    assert!(!on_rabbitmq.is_empty());
    assert_eq!(on_rabbitmq, in_memory);
}

#[tokio::test]
async fn hello_tells_the_same_on_rabbitmq() {
    same_on_both(hello::app).await;
}

#[tokio::test]
async fn two_friends_tell_the_same_on_rabbitmq() {
    same_on_both(two_friends::app).await;
}

#[tokio::test]
async fn notifications_tell_the_same_on_rabbitmq() {
    same_on_both(notifications::app).await;
}

#[tokio::test]
async fn middleware_tells_the_same_on_rabbitmq() {
    same_on_both(middleware::app).await;
}

#[tokio::test]
async fn the_discovery_file_tells_the_same_on_rabbitmq() {
    same_on_both(discovery_file::app).await;
}

#[tokio::test]
async fn the_configuration_files_tell_the_same_on_rabbitmq() {
    same_on_both(config_file::app).await;
}

#[tokio::test]
async fn the_client_tells_the_same_on_rabbitmq() {
    same_on_both(client_only::app).await;
}
