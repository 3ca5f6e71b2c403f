//! The stories on RabbitMQ: in a virtual host of the shared node, or on a private node with its operator.

use std::time::Duration;

use tavrida_amqp::AmqpTransport;
use tavrida_rabbitmq::{Node, VirtualHost};

use crate::fixture::transport;
use crate::stories::{Broker, Operator};

const LATENCY: Duration = Duration::from_millis(5_700);

impl Broker for VirtualHost {
    type Transport = AmqpTransport;
    const LATENCY: Duration = LATENCY;
    const CONFIRMS_LATE: bool = true;

    async fn begin() -> Self {
        tavrida_rabbitmq::shared_vhost().await.unwrap()
    }

    fn transport(&self) -> AmqpTransport {
        transport(&self.uri())
    }
}

impl Broker for Node {
    type Transport = AmqpTransport;
    const LATENCY: Duration = LATENCY;
    const CONFIRMS_LATE: bool = true;

    async fn begin() -> Self {
        Self::start().await.unwrap()
    }

    fn transport(&self) -> AmqpTransport {
        transport(&self.uri())
    }
}

impl Operator for Node {
    async fn close_sessions(&self, reason: &str) {
        self.close_all_connections(reason).await.unwrap();
    }

    async fn stop(&self) {
        Self::stop(self).await.unwrap();
    }

    async fn start_again(&self) {
        Self::start_again(self).await.unwrap();
    }

    async fn block(&self) {
        self.set_memory_watermark(0.0).await.unwrap();
    }

    async fn unblock(&self) {
        self.set_memory_watermark(0.4).await.unwrap();
    }

    async fn queues(&self) -> usize {
        self.eval("length(rabbit_amqqueue:list())").await.unwrap().parse().unwrap()
    }
}

crate::stories::each_story!(tokio::test(flavor = "multi_thread", worker_threads = 2), VirtualHost, Node);
