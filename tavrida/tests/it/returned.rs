//! Messages that come back again and again, where quorum is the default queue type: RabbitMQ 4 drops one at the next return after 20. The
//! server gives it up in time, whatever happens meanwhile: it is answered, counted, and among the dead letters.

use std::time::Duration;

use tavrida::field::Value;
use tavrida::prelude::*;
use tavrida::transport::{Binding, Exchange, ExchangeKind, Publication, Queue};
use tavrida::{Backoff, Health};
use tavrida_memory::core::{ApplyTo, Definition, NamePattern, Operator, Policy};
use tavrida_memory::{MemoryBroker, RabbitMq};
use tokio::time::sleep;

use crate::fixture::{Fixture, Notes, Running, name, registry, request_headers, within};
use crate::logs::Log;

const BODY: &str = r#"{"payload": {}, "context": {}}"#;

/// More returns than the broker allows.
const MANY: usize = 30;

/// A call that ends its process, or waits for ever, and the queue of its answers.
struct Poison {
    fixture: Fixture,
    notes: Notes,
}

async fn poison(notes: State<Notes>) {
    notes.add("begin");
    std::future::pending::<()>().await;
}

impl Poison {
    async fn new() -> Self {
        let quorum = MemoryBroker::builder().like(RabbitMq::V4_0).quorum_by_default().build();
        let poison = Self::on(quorum).await;
        poison.inject("work", "work.poison", "stranger.answer").await;
        poison
    }

    async fn on(broker: MemoryBroker) -> Self {
        let (fixture, notes) = (Fixture { broker }, Notes::default());
        let poison = Self { fixture, notes };
        // It declares.
        poison.server(64).await.stop().await;
        let session = poison.fixture.session().await;
        session.admin().declare_queue(&Queue::durable(name("answers"))).await.expect("declared");
        let answers = Binding::queue(name("answers"), name("stranger_exchange"), name("stranger.#"));
        session.admin().bind(&answers).await.expect("bound");
        poison
    }

    async fn inject(&self, queue: &str, destination: &str, reply_to: &str) {
        self.fixture.inject(queue, request_headers(destination, reply_to), BODY).await;
    }

    async fn server(&self, prefetch: u16) -> Running {
        let work = Service::new("work").state(self.notes.clone()).discovery(registry(&["stranger"]));
        let work =
            work.rpc("poison", poison).rpc("note", |notes: State<Notes>| async move { notes.add("note") });
        let quick = Backoff::between(Duration::from_millis(10), Duration::from_millis(50));
        let exchange = Exchange::durable(name("stranger_exchange"), ExchangeKind::Topic);
        self.fixture.session().await.admin().declare_exchange(&exchange).await.expect("declared");
        self.fixture.run(self.fixture.server(work).reconnect(quick).prefetch(prefetch)).await
    }

    /// The process of the handler dies this many times.
    async fn kills(&self, times: usize) {
        for _ in 0..times {
            let begun = self.notes.all().len();
            let server = self.server(64).await;
            self.notes.reach(begun + 1).await;
            server.abort();
            drop(server.ended().await);
        }
    }

    /// Fills a queue, which takes nothing more.
    async fn fill(&self, queue: &str) {
        self.fixture.broker.operate(Operator::SetPolicy(Policy {
            name: name(queue),
            pattern: NamePattern::Name(name(queue)),
            apply_to: ApplyTo::Queues,
            priority: 1,
            definition: Definition {
                max_length: Some(0),
                overflow: Some(name("reject-publish")),
                ..Definition::default()
            },
        }));
        // A quorum queue takes one above its limit.
        self.inject(queue, "work.note", "").await;
    }

    async fn empty(&self, queue: &str) {
        self.fixture.broker.operate(Operator::ClearPolicy { name: name(queue) });
        self.fixture.session().await.admin().purge_queue(queue).await.expect("purged");
    }

    /// Loses all sessions this many times, each time after what the server does with the message.
    async fn cuts(&self, times: usize) {
        for _ in 0..times {
            sleep(Duration::from_secs(10)).await;
            self.fixture.broker.close_sessions("again");
        }
        sleep(Duration::from_secs(10)).await;
    }

    /// The message is where it belongs, once, and its caller has one answer.
    async fn ends_well(&self, server: &Running) {
        within(async {
            while server.handle.counters().dead_lettered == 0 {
                sleep(Duration::from_millis(10)).await;
            }
        })
        .await;
        sleep(Duration::from_secs(10)).await;
        let counters = server.handle.counters();
        assert_eq!((counters.dead_lettered, counters.stuck, counters.in_flight), (1, 0, 0), "{counters}");
        assert_eq!((self.fixture.depth("work").await, self.fixture.depth("work.dead").await), (0, 1));
        assert_eq!(self.fixture.depth("answers").await, 1);
        let letter = self.fixture.take("work.dead").await;
        let header = |name: &str| letter.properties.headers().get(name).and_then(Value::as_str);
        assert_eq!(header("x-tavrida-reason"), Some("returned"));
        assert_eq!(header("x-tavrida-error-class"), Some("tavrida.ReturnedTooOften"));
        assert!(
            header("x-tavrida-error-message").is_some_and(|why| why.contains("times to the queue 'work'"))
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_kills_its_process_at_each_delivery_is_answered_and_dead_lettered_after_15_returns() {
    let poison = Poison::new().await;
    poison.kills(15).await;
    let server = poison.server(64).await;
    poison.ends_well(&server).await;
    assert_eq!(poison.notes.all().len(), 15, "no handler runs for it any more");
}

#[tokio::test(start_paused = true)]
async fn a_made_up_count_of_the_broker_ends_its_own_message_at_its_first_return_and_not_before() {
    let poison = Poison::on(MemoryBroker::new()).await;
    let headers = request_headers("work.poison", "stranger.answer").with(name("x-delivery-count"), 99_i64);
    poison.fixture.inject("work", headers, BODY).await;
    poison.kills(1).await;
    assert_eq!(poison.notes.all(), ["begin"], "a first delivery is handled, whatever it claims");
    let server = poison.server(64).await;
    poison.ends_well(&server).await;
    assert_eq!(poison.notes.all(), ["begin"]);
}

#[tokio::test(start_paused = true)]
async fn the_first_return_warns_of_the_queue_and_says_what_to_do() {
    let log = Log::default();
    let _logging = log.begin();
    let poison = Poison::new().await;
    poison.kills(1).await;
    let warnings = || log.text().lines().filter(|line| line.contains("default queue type")).count();
    assert_eq!(warnings(), 0, "{}", log.text());
    let server = poison.server(64).await;
    poison.cuts(3).await;
    assert_eq!(warnings(), 1, "once");
    for word in ["WARN", "queue=\"work\"", "drops a message", "policy", "dead-letter-exchange"] {
        assert!(
            log.text().lines().any(|line| line.contains("default queue type") && line.contains(word)),
            "{word}"
        );
    }
    server.stop().await;
}

/// As a service of the original does that handled a copy which had begun again.
#[tokio::test(start_paused = true)]
async fn a_number_of_returns_that_is_passed_on_by_an_exchange_says_nothing() {
    let poison = Poison::new().await;
    let mut message = Publication::new(name("work_exchange"), name("work.note"), BODY);
    let headers = request_headers("work.note", "").with(name("x-tavrida-returns"), 15);
    message.properties.headers = Some(headers.clone());
    let _server = poison.server(64).await;
    poison.fixture.session().await.publish(message).await.expect("routed");
    assert!(poison.notes.reach(2).await.contains(&"note".to_owned()));
    poison.fixture.inject("work", headers, BODY).await;
    let letter = poison.fixture.take("work.dead").await;
    assert_eq!(letter.properties.headers().get("x-tavrida-reason").and_then(Value::as_str), Some("returned"));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_shuts_down_gives_it_up_first() {
    let poison = Poison::new().await;
    poison.kills(15).await;
    poison.fixture.broker.block("low on memory");
    let server = poison.server(64).await;
    server.handle.stop();
    sleep(Duration::from_secs(5)).await;
    assert_eq!(server.handle.counters().in_flight, 1);
    poison.fixture.broker.unblock();
    poison.ends_well(&server).await;
    server.stop().await;
}

#[tokio::test(start_paused = true)]
async fn while_the_dead_letter_queue_is_full_it_is_held_and_no_return_is_its_last() {
    let poison = Poison::new().await;
    poison.kills(15).await;
    poison.fill("work.dead").await;
    let server = poison.server(64).await;
    poison.cuts(2 * MANY).await;
    assert_eq!(server.handle.counters().stuck, 1);
    assert!(matches!(server.handle.health(), Health::Degraded { .. }), "{}", server.handle.health());
    poison.inject("work", "work.note", "").await;
    assert_eq!(poison.notes.reach(16).await.last().map(String::as_str), Some("note"), "others are handled");
    poison.empty("work.dead").await;
    poison.ends_well(&server).await;
}

#[tokio::test(start_paused = true)]
async fn while_no_queue_takes_a_copy_nothing_is_consumed_after_the_next_loss() {
    let poison = Poison::new().await;
    poison.kills(15).await;
    poison.fill("work.dead").await;
    let server = poison.server(1).await;
    poison.fill("work").await;
    poison.cuts(MANY).await;
    let health = server.handle.health();
    let Health::Reconnecting { why, .. } = &health else { panic!("{health}") };
    assert!(why.contains("a message that came back 15 times has to be dead-lettered"), "{why}");
    assert_eq!(poison.notes.all().len(), 15);
    poison.empty("work.dead").await;
    assert_eq!(poison.notes.reach(16).await.last().map(String::as_str), Some("note"));
    poison.ends_well(&server).await;
}

#[tokio::test(start_paused = true)]
async fn under_an_alarm_it_survives_losses_without_end() {
    let poison = Poison::new().await;
    poison.kills(15).await;
    poison.fixture.broker.block("low on memory");
    let server = poison.server(64).await;
    poison.cuts(MANY).await;
    assert_eq!(poison.fixture.depth("work").await, 1, "nobody consumes it");
    poison.fixture.broker.unblock();
    poison.ends_well(&server).await;
}
