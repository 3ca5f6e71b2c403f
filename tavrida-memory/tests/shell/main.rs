//! The transport beyond the conformance suite: time, alarms, interventions, and cleanup.

mod interventions;

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, SystemTime};

use tavrida::field::{ShortString, Value};
use tavrida::time::Clock;
use tavrida::transport::{Consume, Publication, PublishErrorKind, Queue, Session, Transport};
use tavrida_memory::MemoryBroker;
use tavrida_memory::core::Operator;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::time::{Instant, sleep, timeout};

const Q: ShortString = ShortString::from_static("q");
const DEFAULT: ShortString = ShortString::from_static("");

async fn session(broker: &MemoryBroker) -> Arc<dyn Session> {
    broker.transport().connect().await.expect("a broker in this process can be reached")
}

/// Opens a session to a broker with the queue `q`.
async fn with_queue(broker: &MemoryBroker) -> Arc<dyn Session> {
    let session = session(broker).await;
    session.admin().declare_queue(&Queue::durable(Q)).await.expect("q can be declared");
    session
}

fn message(body: &'static str) -> Publication {
    Publication::new(DEFAULT, Q, body)
}

fn ready(broker: &MemoryBroker, queue: &str) -> usize {
    broker.snapshot().queue(queue).map_or(0, |queue| queue.ready.len())
}

fn paused() -> Runtime {
    Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime can be built")
}

// -- Confirms --

/// Sends an order to stock and then to a ledger, which stock tells too. Returns what the ledger got, in order.
async fn told_to_ledger(broker: &MemoryBroker) -> [String; 2] {
    const LEDGER: ShortString = ShortString::from_static("ledger");
    let to_ledger = |body: &'static str| Publication::new(DEFAULT, LEDGER, body);
    let (sender, stock) = (with_queue(broker).await, session(broker).await);
    sender.admin().declare_queue(&Queue::durable(LEDGER)).await.expect("the ledger can be declared");
    let mut orders = stock.consume(&Consume::new(&Q, 1)).await.expect("q can be consumed");
    let shipped = tokio::spawn(async move {
        let order = orders.next().await.expect("an order comes");
        stock.publish(to_ledger("shipped")).await.expect("the ledger takes it");
        order.ack().expect("the session lives");
    });
    sender.publish(message("ship it")).await.expect("q takes it");
    sender.publish(to_ledger("ordered")).await.expect("the ledger takes it");
    shipped.await.expect("stock does not panic");
    let mut told = Vec::new();
    while let Some(fetched) = sender.get("ledger").await.expect("the ledger can be read") {
        told.push(String::from_utf8_lossy(fetched.delivery.body()).into_owned());
        fetched.delivery.ack().expect("the session lives");
    }
    told.try_into().expect("the ledger is told twice")
}

#[tokio::test]
async fn what_a_send_causes_comes_before_the_next_send_if_confirms_are_late() {
    assert_eq!(told_to_ledger(&MemoryBroker::new()).await, ["ordered", "shipped"]);
    let late = MemoryBroker::builder().late_confirms().build();
    assert_eq!(told_to_ledger(&late).await, ["shipped", "ordered"]);
}

// -- Time --

#[tokio::test(start_paused = true)]
async fn messages_expire_by_the_paused_clock_while_nobody_calls() {
    let broker = MemoryBroker::new();
    let session = session(&broker).await;
    session
        .admin()
        .declare_queue(&Queue::transient(Q).argument(ShortString::from_static("x-message-ttl"), 100))
        .await
        .unwrap();
    session.publish(message("m")).await.unwrap();
    let begin = Instant::now();
    sleep(Duration::from_millis(99)).await;
    assert_eq!(ready(&broker, "q"), 1);
    sleep(Duration::from_millis(2)).await;
    assert_eq!(ready(&broker, "q"), 0);
    assert_eq!(begin.elapsed(), Duration::from_millis(101));
}

#[tokio::test(start_paused = true)]
async fn a_consumer_waits_for_what_time_brings() {
    let broker = MemoryBroker::new();
    let session = with_queue(&broker).await;
    let late = ShortString::from_static("late");
    let wait = Queue::transient(late.clone())
        .argument(ShortString::from_static("x-message-ttl"), 5_000)
        .argument(ShortString::from_static("x-dead-letter-exchange"), "")
        .argument(ShortString::from_static("x-dead-letter-routing-key"), "q");
    session.admin().declare_queue(&wait).await.unwrap();
    let mut consumer = session.consume(&Consume::new(Q, 1)).await.unwrap();
    let begin = Instant::now();
    session.publish(Publication::new(DEFAULT, late, "m")).await.unwrap();
    let delivery = consumer.next().await.unwrap();
    assert_eq!(begin.elapsed(), Duration::from_secs(5));
    delivery.ack().unwrap();
}

#[test]
fn a_broker_needs_no_runtime_and_may_be_used_in_several() {
    let broker = MemoryBroker::new();
    assert!(broker.snapshot().queues.is_empty());
    for _ in 0..2 {
        paused().block_on(async {
            let session = session(&broker).await;
            let queue = Queue::transient(Q).argument(ShortString::from_static("x-expires"), 50);
            session.admin().declare_queue(&queue).await.unwrap();
            // The second runtime has its own timer task.
            sleep(Duration::from_millis(60)).await;
            assert!(broker.snapshot().queues.is_empty());
        });
    }
}

#[tokio::test(start_paused = true)]
async fn the_timer_task_ends_when_nothing_is_due_and_with_its_broker() {
    let tasks = || Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    let broker = MemoryBroker::new();
    let session = session(&broker).await;
    assert_eq!(tasks(), before, "nothing is due");
    let expiring = Queue::transient(Q).argument(ShortString::from_static("x-expires"), 1_000);
    session.admin().declare_queue(&expiring).await.unwrap();
    assert_eq!(tasks(), before + 1);
    session.admin().delete_queue("q", false, false).await.unwrap();
    sleep(Duration::from_millis(1_001)).await;
    assert_eq!(tasks(), before, "nothing is due any more");
    session.admin().declare_queue(&expiring).await.unwrap();
    drop(session);
    drop(broker);
    tokio::task::yield_now().await;
    tokio::task::yield_now().await;
    assert_eq!(tasks(), before, "the broker is gone");
}

struct Noon;

impl Clock for Noon {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(43_200)
    }
}

#[tokio::test]
async fn x_death_is_stamped_by_the_injected_clock() {
    let broker = MemoryBroker::builder().clock(Arc::new(Noon)).build();
    let session = with_queue(&broker).await;
    let dying = ShortString::from_static("dying");
    let queue = Queue::transient(dying.clone())
        .argument(ShortString::from_static("x-dead-letter-exchange"), "")
        .argument(ShortString::from_static("x-dead-letter-routing-key"), "q");
    session.admin().declare_queue(&queue).await.unwrap();
    session.publish(Publication::new(DEFAULT, dying, "m")).await.unwrap();
    session.get("dying").await.unwrap().unwrap().delivery.reject().unwrap();
    let dead = session.get("q").await.unwrap().unwrap().delivery;
    let Some(Value::Array(deaths)) = dead.properties().headers().get("x-death") else { panic!() };
    let Value::Table(death) = &deaths[0] else { panic!() };
    assert_eq!(death.get("time"), Some(&Value::Timestamp(43_200)));
    dead.ack().unwrap();
}

// -- Alarms --

#[tokio::test(start_paused = true)]
async fn during_an_alarm_publishes_wait_in_order_and_all_else_goes_on() {
    let broker = MemoryBroker::new();
    let session = with_queue(&broker).await;
    session.publish(message("before")).await.unwrap();
    broker.block("low on memory");
    assert_eq!(session.blocked(), None, "it has not published yet");
    let mut held: Vec<_> = ["one", "two"].map(|body| Box::pin(session.publish(message(body)))).into();
    for publishing in &mut held {
        assert!(futures_poll(publishing.as_mut()).is_pending());
    }
    assert_eq!(session.blocked().as_deref(), Some("low on memory"));
    let mut consumer = session.consume(&Consume::new(Q, 10)).await.unwrap();
    consumer.next().await.unwrap().ack().unwrap();
    assert!(timeout(Duration::from_secs(60), consumer.next()).await.is_err());
    broker.unblock();
    assert_eq!(session.blocked(), None);
    for publishing in held {
        publishing.await.unwrap();
    }
    for body in ["one", "two"] {
        let delivery = consumer.next().await.unwrap();
        assert_eq!(delivery.body(), body);
        delivery.ack().unwrap();
    }
}

#[tokio::test]
async fn a_publish_that_waited_is_told_when_the_session_ends_and_was_not_sent() {
    let broker = MemoryBroker::new();
    let session = with_queue(&broker).await;
    broker.operate(Operator::Block { reason: "low on disk".to_owned() });
    let mut held = Box::pin(session.publish(message("m")));
    assert!(futures_poll(held.as_mut()).is_pending());
    session.close().await.unwrap();
    let unpublished = held.await.unwrap_err();
    assert!(matches!(unpublished.reason, PublishErrorKind::NotSent(loss) if loss.is_closed_here()));
    assert_eq!(unpublished.publication.body, "m");
    broker.operate(Operator::Unblock);
    assert_eq!(ready(&broker, "q"), 0);
}

#[tokio::test]
async fn a_publish_to_a_missing_exchange_costs_the_next_one_nothing() {
    let broker = MemoryBroker::new();
    let session = with_queue(&broker).await;
    for _ in 0..3 {
        let refused = session.publish(Publication::new(ShortString::from_static("nosuch"), Q, "m")).await;
        assert!(
            matches!(refused.unwrap_err().reason, PublishErrorKind::Refused(refusal) if refusal.code == 404)
        );
        session.publish(message("m")).await.unwrap();
    }
    assert_eq!(ready(&broker, "q"), 3);
}

// -- Traces --

#[tokio::test]
async fn two_brokers_never_meet() {
    let (one, two) = (MemoryBroker::new(), MemoryBroker::new());
    with_queue(&one).await;
    let session = session(&two).await;
    assert!(session.admin().declare_queue_passive("q").await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn a_session_that_nobody_holds_is_gone_with_its_queues() {
    let broker = MemoryBroker::new();
    let session = session(&broker).await;
    session.admin().declare_queue(&Queue::exclusive()).await.unwrap();
    with_queue(&broker).await;
    let mut consumer = session.consume(&Consume::new(Q, 1)).await.unwrap();
    drop(session);
    // Its consumer still references it.
    let other = self::session(&broker).await;
    other.publish(message("m")).await.unwrap();
    let delivery = consumer.next().await.unwrap();
    assert_eq!(broker.snapshot().queues.len(), 2);
    drop(consumer);
    assert_eq!(broker.snapshot().queues.len(), 2, "and so does an unsettled delivery");
    drop(delivery);
    let snapshot = broker.snapshot();
    assert_eq!(snapshot.queues.len(), 1);
    assert_eq!(snapshot.connections.len(), 2, "those of the other session:\n{snapshot}");
    assert_eq!(ready(&broker, "q"), 1);
}

#[test]
fn a_message_in_a_prepared_broker_expires() {
    let prepared = {
        let broker = MemoryBroker::new();
        paused().block_on(async {
            let session = with_queue(&broker).await;
            let mut late = message("late");
            late.properties.expiration = Some(ShortString::from_static("1000"));
            session.publish(late).await.unwrap();
        });
        broker.core()
    };
    let broker = MemoryBroker::builder().core(prepared).build();
    assert_eq!(ready(&broker, "q"), 1);
    paused().block_on(async {
        let _session = session(&broker).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
    });
    assert_eq!(ready(&broker, "q"), 0);
}

#[tokio::test]
async fn channels_are_given_back() {
    let broker = MemoryBroker::new();
    let session = with_queue(&broker).await;
    for _ in 0..500 {
        session.publish(message("m")).await.unwrap();
        session.get("q").await.unwrap().unwrap().delivery.ack().unwrap();
        drop(session.consume(&Consume::new(Q, 1)).await.unwrap());
        assert!(session.get("nosuch").await.unwrap_err().is_not_found());
    }
    let snapshot = broker.snapshot();
    let channels: usize = snapshot.connections.iter().map(|connection| connection.channels.len()).sum();
    assert_eq!(channels, 2, "the one that publishes and the one that declares:\n{snapshot}");
}

/// A task that inspects the broker at the moment when it is woken.
struct Nosy {
    broker: MemoryBroker,
    woken: AtomicUsize,
    seen: Mutex<Vec<usize>>,
}

impl Wake for Nosy {
    fn wake(self: Arc<Self>) {
        self.woken.fetch_add(1, Ordering::Relaxed);
        self.seen.lock().expect("no test panicked with it").push(self.broker.snapshot().queues.len());
    }
}

#[tokio::test]
async fn consumers_are_woken_when_the_lock_is_free() {
    let broker = MemoryBroker::new();
    let session = with_queue(&broker).await;
    let mut consumer = session.consume(&Consume::new(Q, 1)).await.unwrap();
    let nosy = Arc::new(Nosy { broker: broker.clone(), woken: AtomicUsize::new(0), seen: Mutex::default() });
    let waker = Waker::from(nosy.clone());
    assert!(consumer.poll_next(&mut Context::from_waker(&waker)).is_pending());
    session.publish(message("m")).await.unwrap();
    assert_eq!(nosy.seen.lock().unwrap().as_slice(), [1]);
    let Poll::Ready(Ok(delivery)) = consumer.poll_next(&mut Context::from_waker(&waker)) else { panic!() };
    delivery.ack().unwrap();
    assert!(consumer.poll_next(&mut Context::from_waker(&waker)).is_pending());
    broker.close_sessions("enough");
    assert_eq!(nosy.woken.load(Ordering::Relaxed), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_doubled_between_threads() {
    let broker = MemoryBroker::new();
    let session = with_queue(&broker).await;
    let consumers: Vec<_> = (0..4)
        .map(|_| {
            let session = session.clone();
            tokio::spawn(async move {
                let mut seen = Vec::new();
                let mut consumer = session.consume(&Consume::new(Q, 3)).await.unwrap();
                while let Ok(delivery) = consumer.next().await {
                    seen.push(String::from_utf8_lossy(delivery.body()).into_owned());
                    delivery.ack().unwrap();
                }
                seen
            })
        })
        .collect();
    let producers: Vec<_> = (0..4)
        .map(|producer| {
            let session = session.clone();
            tokio::spawn(async move {
                for number in 0..500 {
                    let body = format!("{producer}/{number}");
                    session.publish(Publication::new(DEFAULT, Q, body)).await.unwrap();
                }
            })
        })
        .collect();
    for producer in producers {
        producer.await.unwrap();
    }
    while broker.snapshot().queue("q").is_some_and(|queue| !queue.ready.is_empty() || queue.unacked > 0) {
        tokio::task::yield_now().await;
    }
    session.close().await.unwrap();
    let mut seen = Vec::new();
    for consumer in consumers {
        seen.extend(consumer.await.unwrap());
    }
    seen.sort();
    let mut sent: Vec<String> =
        (0..4).flat_map(|producer| (0..500).map(move |number| format!("{producer}/{number}"))).collect();
    sent.sort();
    assert_eq!(seen, sent);
}

fn futures_poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}
