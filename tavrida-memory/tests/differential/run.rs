//! Runs one program on all sides.

#[cfg(feature = "port")]
use futures_util::future::join;
use tavrida::field::ShortString;
use tavrida_memory::core::{Method, MethodReply, Operator, QueueDeclare, RabbitMq};
use tavrida_rabbitmq::Node;

use crate::action::Action;
use crate::barrier::Barrier;
use crate::divergence::Divergence;
use crate::guard;
use crate::heard::Said;
use crate::peer::Peer;
use crate::program::{AUDITOR, CONNECTIONS, Op, Program, Step};
use crate::real::Real;
use crate::world::{Prediction, World};

/// A virtual host in which one program at a time runs.
pub(crate) struct Site<'n> {
    pub(crate) node: &'n Node,
    pub(crate) vhost: String,
    pub(crate) version: RabbitMq,
}

/// The outcome of a program.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// How many steps ran.
    pub(crate) operations: usize,
    pub(crate) divergence: Option<Divergence>,
}

impl Outcome {
    /// Returns how many steps ran.
    ///
    /// # Panics
    /// The sides diverged.
    pub(crate) fn agreed(self) -> usize {
        if let Some(divergence) = self.divergence {
            panic!("{divergence}");
        }
        self.operations
    }
}

/// How closely output is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Watch {
    /// Excess output is noticed by the end of the program.
    AtTheEnd,
    /// Excess output is noticed at its step.
    EachStep,
}

/// Returns the version of which a node is.
pub(crate) fn version_of(node: &Node) -> RabbitMq {
    let version = node.version();
    match (version.major, version.minor) {
        (3, 10) => RabbitMq::V3_10,
        (4, 0) => RabbitMq::V4_0,
        _ => panic!("RabbitMQ {version}: the memory broker behaves as 3.10 or 4.0"),
    }
}

impl<'n> Site<'n> {
    /// Creates a virtual host.
    pub(crate) async fn new(node: &'n Node, vhost: String) -> Self {
        node.add_vhost(&vhost).await.expect("a running node makes a virtual host");
        let version = version_of(node);
        let site = Self { node, vhost, version };
        Barrier::new(node, &site.vhost).define().await;
        site
    }

    pub(crate) async fn run(&self, program: &Program, watch: Watch) -> Outcome {
        let (predictions, operations) = predict(self.version, &self.vhost, program);
        let node = Peer::node(self);
        let replay = self.replay(&node, program, &predictions, watch);
        #[cfg(feature = "port")]
        let replay = async {
            let port = Peer::port(self).await;
            let (node, port) = join(replay, self.replay(&port, program, &predictions, watch)).await;
            node.and(port)
        };
        let divergence = replay.await.err();
        node.clean().await.expect("a running node deletes queues and exchanges");
        Outcome { operations, divergence }
    }

    async fn replay(
        &self,
        peer: &Peer<'_>,
        program: &Program,
        predictions: &[Prediction],
        watch: Watch,
    ) -> Result<(), Divergence> {
        let real = Real::start(peer, &self.vhost, program.modes).await;
        let mut real = real.expect("a running broker takes connections");
        for prediction in predictions {
            real.step(prediction, watch == Watch::EachStep).await?;
        }
        real.finish().await
    }
}

/// Returns the expected output of a program, and of a final read of the queues, where that does not depend on chance; and how many steps
/// there are.
pub(crate) fn predict(version: RabbitMq, vhost: &str, program: &Program) -> (Vec<Prediction>, usize) {
    let mut world = World::new(version, vhost, program.modes);
    let mut predictions: Vec<Prediction> = program.steps.iter().filter_map(|step| world.step(step)).collect();
    let operations = predictions.len();
    if world.broker.alarm().is_some() {
        predictions.push(world.act(AUDITOR.channel(1), Action::Operate(Operator::Unblock)));
    }
    for connection in CONNECTIONS {
        if guard::ends_in_a_race(&world, connection) {
            return (predictions, operations);
        }
        // One after the other: concurrently, the channels of a connection end in any order.
        predictions.push(world.act(connection.channel(1), Action::Call(Method::ChannelClose)));
        predictions.push(world.act(connection.channel(2), Action::CloseConnection));
    }
    let queues: Vec<ShortString> = world.shadow.queues.keys().cloned().collect();
    for queue in queues {
        drain(&mut world, &queue, &mut predictions);
    }
    (predictions, operations)
}

/// Counts a queue's messages, then gets them all.
fn drain(world: &mut World, queue: &ShortString, predictions: &mut Vec<Prediction>) {
    let channel = AUDITOR.channel(1);
    let passive = QueueDeclare { queue: queue.clone(), passive: true, ..Default::default() };
    let mut act = |method: Method| {
        let step = Step { channel, op: Op::Call(method.clone()) };
        let prediction = Prediction {
            step: format!("{} (at the end)", crate::text::print_step(&step)),
            ..world.act(channel, Action::Call(method))
        };
        let reply = prediction.report.0.get(&channel).and_then(|heard| heard.said.first()).cloned();
        predictions.push(prediction);
        reply
    };
    if let Some(Said::Reply(MethodReply::QueueDeclareOk { .. })) = act(Method::QueueDeclare(passive)) {
        let get = || Method::BasicGet { queue: queue.clone(), no_ack: true };
        while let Some(Said::Reply(MethodReply::BasicGetOk(_))) = act(get()) {}
    }
}
