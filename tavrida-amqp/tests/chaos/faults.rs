//! The faults of the chaos test, each of which is removed at the end.

use std::time::Duration;

use fastrand::Rng;
use tavrida::transport::Transport;
use tavrida_amqp::{AmqpConfig, AmqpTransport};
use tavrida_rabbitmq::{Node, Proxy};
use tokio::time::{sleep, timeout};

use crate::books::Books;
use crate::fixture::LIMIT;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    /// An operator closes all connections.
    CloseConnections,
    /// The broker stops in good order and restarts.
    StopApp,
    /// The broker loses power and restarts.
    Kill,
    /// The broker is silent for longer than the heartbeat allows.
    Pause,
    /// All connections are reset.
    Cut,
    /// All connections are reset, and new ones are refused for a while.
    Refuse,
    /// The wire is silent, for less than the heartbeat limit.
    HoldBriefly,
    /// The wire is silent for longer than the heartbeat allows.
    Hold,
    /// The wire is slow.
    Throttle,
    /// A service's queue is deleted with its messages.
    DeleteQueue,
}

impl Fault {
    pub(crate) const ALL: [Self; 10] = [
        Self::CloseConnections,
        Self::StopApp,
        Self::Kill,
        Self::Pause,
        Self::Cut,
        Self::Refuse,
        Self::HoldBriefly,
        Self::Hold,
        Self::Throttle,
        Self::DeleteQueue,
    ];
}

/// The targets of faults.
pub(crate) struct Ground {
    node: Node,
    /// The wire of all connections to the node.
    wire: Proxy,
    vhost: &'static str,
}

impl Ground {
    /// The default virtual host of a node, or one with this default queue type.
    pub(crate) async fn new(node: Node, queue_type: Option<&str>) -> Self {
        let wire = Proxy::to(&node).await.unwrap();
        let Some(queue_type) = queue_type else { return Self { node, wire, vhost: "/" } };
        node.add_vhost_of("chaos", queue_type).await.unwrap();
        Self { node, wire, vhost: "chaos" }
    }

    /// The address of the virtual host, by the wire.
    pub(crate) fn uri(&self) -> String {
        self.wire.uri_for(self.vhost)
    }

    pub(crate) async fn inflict(&self, fault: Fault, books: &Books, random: &mut Rng) {
        let mut some = |from: u64, to: u64| sleep(Duration::from_millis(random.u64(from..to)));
        match fault {
            Fault::CloseConnections => self.node.close_all_connections("chaos").await.unwrap(),
            Fault::StopApp => {
                self.node.stop_app().await.unwrap();
                some(0, 500).await;
                // A busy machine may exceed the limit of an evaluation; what was started continues.
                if self.node.start_app().await.is_err() {
                    self.node.ready().await.unwrap();
                }
            }
            Fault::Kill => self.kill().await,
            Fault::Pause => {
                self.node.pause().unwrap();
                some(2500, 3500).await;
                self.node.resume().unwrap();
            }
            Fault::Cut => self.wire.cut().await,
            Fault::Refuse => {
                self.wire.refuse().await;
                self.wire.cut().await;
                some(100, 1000).await;
                self.wire.accept().await.unwrap();
            }
            Fault::HoldBriefly => self.hold(some(100, 800)).await,
            Fault::Hold => self.hold(some(2500, 3500)).await,
            Fault::Throttle => {
                self.wire.throttle(4000);
                some(500, 2000).await;
                self.wire.unthrottle();
            }
            Fault::DeleteQueue => {
                let queue = if random.bool() { "front" } else { "store" };
                self.delete(queue).await;
                books.excuse();
            }
        }
    }

    async fn kill(&self) {
        // The broker writes declarations to its disk a little later; a kill must not come before.
        self.node.eval("mnesia:sync_log()").await.unwrap();
        self.node.kill().await.unwrap();
        self.node.start_again().await.unwrap();
    }

    async fn hold(&self, time: tokio::time::Sleep) {
        self.wire.hold();
        time.await;
        self.wire.release();
    }

    async fn delete(&self, queue: &str) {
        // lapin's heartbeat tasks end with the next heartbeat that is due: tasks are counted.
        let config =
            AmqpConfig::from_uri(&self.node.uri_for(self.vhost)).unwrap().frame_max(8192).heartbeat(1);
        let session = AmqpTransport::new(config).connect().await.unwrap();
        session.admin().delete_queue(queue, false, false).await.unwrap();
        session.close().await.unwrap();
    }

    /// Returns once no queue has a message, ready or unsettled, and all replicas of each service consume.
    pub(crate) async fn is_at_rest(&self) {
        let waiting = async {
            while !self.rests().await {
                sleep(Duration::from_millis(50)).await;
            }
        };
        if timeout(LIMIT, waiting).await.is_err() {
            panic!("messages are stuck, or consumers are missing: {}", self.queues().await);
        }
    }

    async fn rests(&self) -> bool {
        let question = format!(
            "Queues = rabbit_amqqueue:info_all(<<\"{}\">>, [name, messages, consumers]), \
             Consumers = fun(Wanted) -> [C || [{{name, {{resource, _, _, N}}}}, _, {{consumers, C}}] <- Queues, N =:= Wanted] end, \
             {{lists:sum([M || [_, {{messages, M}}, _] <- Queues]), Consumers(<<\"front\">>), Consumers(<<\"store\">>)}}",
            self.vhost
        );
        self.node.eval(&question).await.unwrap().trim() == "{0,[2],[1]}"
    }

    async fn queues(&self) -> String {
        let question = format!(
            "rabbit_amqqueue:info_all(<<\"{}\">>, [name, messages_ready, messages_unacknowledged, consumers])",
            self.vhost
        );
        self.node.eval(&question).await.unwrap()
    }
}
