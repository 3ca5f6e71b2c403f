//! Three nodes and a quorum queue: confirmed messages survive the loss of one node.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures_util::future::join_all;
use tavrida::field::ShortString;
use tavrida::prelude::*;
use tavrida::server::{QueueType, ServerBuilder};
use tavrida::transport::{Publication, PublishErrorKind, Queue, Transport};
use tavrida::{Backoff, Health};
use tavrida_amqp::{AmqpConfig, AmqpTransport};
use tavrida_rabbitmq::{Cluster, Node};
use tokio::time::{Duration, sleep, timeout};

use crate::fixture::{Notes, registry, run, work};
use crate::support::{config, connect, count, soon};

/// How many sends are concurrent, and how many messages are confirmed before and after the loss of a node.
const WINDOW: usize = 32;
const ENOUGH: usize = 300;

const DELAY: Duration = Duration::from_millis(500);

/// A channel that was opened while a queue changed its leader may contact the old one for 10 seconds (RabbitMQ's `rabbit_fifo_client`).
const LIMIT: Duration = Duration::from_secs(60);

async fn at_last(what: &str, holds: impl AsyncFn() -> bool) {
    let waiting = async {
        while !holds().await {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(LIMIT, waiting).await.unwrap_or_else(|_| panic!("it must come to this: {what}"));
}

async fn cluster() -> Cluster {
    // What a retry queue could not dead-letter is tried again after this time (by default 3 minutes).
    let options = Node::builder().variable("dead_letter_worker_publisher_confirm_timeout", 1000);
    Cluster::start_with(3, options).await.unwrap()
}

/// Returns a transport to the nodes in this order: the first reachable one is used.
fn transport(cluster: &Cluster, order: [usize; 3]) -> AmqpTransport {
    let port = |at: usize| cluster.node(order[at]).port();
    let config =
        AmqpConfig::new("127.0.0.1", port(0)).or_host("127.0.0.1", port(1)).or_host("127.0.0.1", port(2));
    AmqpTransport::new(config.frame_max(8192).heartbeat(2).connect_timeout(Duration::from_secs(2)))
}

fn backoff() -> Backoff {
    Backoff::between(Duration::from_millis(100), Duration::from_secs(1))
}

fn server(cluster: &Cluster, order: [usize; 3], notes: &Notes) -> ServerBuilder {
    Server::builder(transport(cluster, order))
        .queue("work")
        .exchange("work_exchange")
        .service(work(notes))
        .queue_type(QueueType::quorum_with_limit(100))
        .reconnect(backoff())
        .on_failure(Retry::times(100).between(DELAY, DELAY).then_dead_letter())
}

async fn client(cluster: &Cluster, order: [usize; 3]) -> Client {
    let builder = Client::builder(transport(cluster, order)).source("client_app").discovery(registry());
    builder.reconnect(backoff()).patience(crate::support::SOON).build().await.unwrap()
}

/// Returns the indices of the node that leads a queue, and of the others.
async fn leader_and_followers(cluster: &Cluster, queue: &str) -> (usize, [usize; 2]) {
    let question = format!(
        "{{ok, Q}} = rabbit_amqqueue:lookup(rabbit_misc:r(<<\"/\">>, queue, <<\"{queue}\">>)), \
         {{_, Leader}} = amqqueue:get_pid(Q), Leader"
    );
    let leader = cluster.node(0).eval(&question).await.unwrap();
    let at = (0..3).find(|at| leader.contains(cluster.node(*at).name())).unwrap();
    (at, [(at + 1) % 3, (at + 2) % 3])
}

/// Casts numbers, with limited concurrency, until it is stopped. Returns those whose cast was confirmed.
async fn cast_on(client: Client, confirmed: Arc<AtomicUsize>, over: Arc<AtomicBool>) -> Vec<i64> {
    let mut known = Vec::new();
    let mut next = 0;
    while !over.load(Ordering::Relaxed) {
        let numbers = next..next + WINDOW as i64;
        next = numbers.end;
        let sends =
            numbers.map(|n| {
                let client = client.clone();
                let method = if n % 4 == 0 { "work.second_time" } else { "work.note" };
                async move {
                    (n, timeout(LIMIT, client.to(method).param("n", n).cast()).await.expect("a send hangs"))
                }
            });
        for (n, sent) in join_all(sends).await {
            match sent {
                Ok(sent) => {
                    assert_eq!(sent, Sent::Routed);
                    known.push(n);
                    confirmed.fetch_add(1, Ordering::Relaxed);
                }
                Err(error) => {
                    let broken = error.is_ambiguous() || error.is_closed() || error.is_timeout();
                    assert!(broken || error.is_refused(), "{error:?}");
                }
            }
        }
    }
    known
}

/// The server and the sender are connected to the node that leads the queue.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_is_killed_under_load_and_nothing_confirmed_is_lost() {
    let (cluster, notes) = (cluster().await, Notes::new());
    let declaring = run(server(&cluster, [0, 1, 2], &notes)).await;
    let (leader, others) = leader_and_followers(&cluster, "work").await;
    declaring.stop();
    let order = [leader, others[0], others[1]];
    let handles = [
        run(server(&cluster, order, &notes)).await,
        run(server(&cluster, [others[0], others[1], leader], &notes)).await,
    ];
    let client = client(&cluster, order).await;
    let (confirmed, over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let casting = tokio::spawn(cast_on(client.clone(), confirmed.clone(), over.clone()));
    let enough = async |when: &str, at_least| {
        at_last(when, async || confirmed.load(Ordering::Relaxed) >= at_least).await;
    };
    enough("enough is confirmed before", ENOUGH).await;

    cluster.node(leader).kill().await.unwrap();

    at_last("all are back, on the nodes that are left", async || {
        client.counters().losses == 1 && handles.iter().all(|handle| handle.health() == Health::Ready)
    })
    .await;
    enough("enough is confirmed after", confirmed.load(Ordering::Relaxed) + ENOUGH).await;
    over.store(true, Ordering::Relaxed);
    let known = casting.await.unwrap();

    let missing = async || {
        let seen: BTreeSet<i64> = notes.all().iter().map(|note| note.parse().unwrap()).collect();
        known.iter().filter(|n| !seen.contains(n)).count()
    };
    // A retry that returned while its queue had no leader may wait until now: RabbitMQ keeps it, and asks the lost node.
    cluster.node(leader).start_again().await.unwrap();
    at_last("all that was confirmed is handled", async || missing().await == 0).await;
    assert_eq!((handles[0].counters().losses, handles[1].counters().losses), (1, 0));
    let session = connect(config(&cluster.node(others[0]).uri())).await;
    at_last("nothing is left", async || count(&session, "work").await == 0).await;
    at_last("no retry waits", async || count(&session, "work.retry.500").await == 0).await;
    assert_eq!(count(&session, "work.dead").await, 0);
}

/// Without a majority nothing is confirmed or reported as such; with it all that waited is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_majority_sends_wait_and_with_it_they_are_confirmed() {
    let (cluster, notes) = (cluster().await, Notes::new());
    let handle = run(server(&cluster, [0, 1, 2], &notes)).await;
    let client = client(&cluster, [0, 1, 2]).await;
    client.to("work.note").param("n", 0).cast().await.unwrap();
    notes.reach(1).await;

    for at in [1, 2] {
        cluster.node(at).pause().unwrap();
    }
    let sending = tokio::spawn({
        let client = client.clone();
        async move { client.to("work.note").param("n", 1).cast().await }
    });
    sleep(Duration::from_secs(1)).await;
    assert!(!sending.is_finished(), "one node of three is no majority");
    for at in [1, 2] {
        cluster.node(at).resume().unwrap();
    }

    let sent = soon(sending).await.unwrap();
    assert!(sent.as_ref().is_ok_and(|sent| sent.is_routed()), "{sent:?}");
    notes.until(|notes| notes.iter().any(|note| note == "1")).await;
    at_last("the server consumes", async || handle.health() == Health::Ready).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_without_a_majority_does_not_hold_its_publishers_for_ever() {
    let cluster = cluster().await;
    let session = transport(&cluster, [0, 1, 2]).connect().await.unwrap();
    let queue = ShortString::from_static("slow");
    let quorum = Queue::durable(&queue).argument(ShortString::from_static("x-queue-type"), "quorum");
    session.admin().declare_queue(&quorum).await.unwrap();
    session.admin().declare_queue(&Queue::durable(ShortString::from_static("quick"))).await.unwrap();
    let message = |to: &ShortString, body: &'static str| Publication::new(ShortString::default(), to, body);
    session.publish(message(&queue, "before")).await.unwrap();

    cluster.node(1).kill().await.unwrap();
    cluster.node(2).kill().await.unwrap();
    let lost = timeout(LIMIT, session.publish(message(&queue, "lost"))).await.expect("it ends").unwrap_err();
    assert!(
        matches!(&lost.reason, PublishErrorKind::Ambiguous(loss) if loss.to_string().contains("no confirm came")),
        "{lost}"
    );
    // The session is alive, and so are its other queues.
    session.publish(message(&ShortString::from_static("quick"), "after")).await.unwrap();
    assert!(session.get("quick").await.unwrap().is_some());
}
