//! Throughput of the transport, and of the whole library on it, compared with bare lapin, on a private RabbitMQ node: ratios beside our
//! goals, and the floors below which we do not ship.
//!
//! Both sides do the same work in turn, in one process, on the same node; the ratio is computed within a round, and the median over the
//! rounds is printed. Absolute numbers depend on the machine.
//!
//! `cargo bench -p tavrida-amqp --bench throughput`, with `TAVRIDA_ROUNDS` and `TAVRIDA_MESSAGES` for more or fewer. Words after `--`
//! filter: `-- G9` runs the groups with that in their title, here all asks; `-- "1 in flight"` the sequential ones.

#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]
#![expect(clippy::print_stdout, reason = "it is what a bench is for")]

mod bare;
mod bare_asks;
mod body;
mod library;
mod measure;
mod ours;

use bare_asks::Wire;
use measure::{Case, Goal, Taken};
use tavrida_rabbitmq::Node;

/// The maximum number of publishes, or deliveries, under way.
const WINDOW: usize = 1024;
const PREFETCH: u16 = 300;
const QUEUE: &str = "bench";

const AWAITED: &str = "lapin, delivery.ack().await";
const POLLED: &str = "lapin, basic_ack polled once";

const G7_AWAITED: Goal = Goal { goal: 2.0, floor: 1.2 };
const G7_POLLED: Goal = Goal { goal: 1.2, floor: 0.8 };
const G8: Goal = Goal { goal: 0.90, floor: 0.75 };
const G9_MANY: Goal = Goal { goal: 0.75, floor: 0.60 };
const G9_ONE: Goal = Goal { goal: 0.90, floor: 0.80 };
const G10: Goal = Goal { goal: 10.0, floor: 4.0 };

fn from_env(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

fn main() {
    // `cargo test` runs benches too, to check that they build and start.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let node = Node::start().await.unwrap();
        measure::BROKER.set(node.pid().unwrap()).unwrap();
        let bench = Bench {
            uri: node.uri(),
            filters: std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect(),
            rounds: from_env("TAVRIDA_ROUNDS", 7),
            messages: from_env("TAVRIDA_MESSAGES", 30_000),
        };
        bench.run_transport().await;
        bench.run_library().await;
    });
}

/// What is run, and how much of it.
struct Bench {
    uri: String,
    filters: Vec<String>,
    rounds: usize,
    messages: usize,
}

impl Bench {
    /// Returns whether this group runs: without a filter all do.
    fn wants(&self, title: &str) -> bool {
        self.filters.is_empty() || self.filters.iter().any(|filter| title.contains(filter.as_str()))
    }

    async fn run_transport(&self) {
        let ours = ours::Ours::connect(&self.uri).await;
        let bare = bare::Bare::connect(&self.uri).await;
        for headers in [false, true] {
            self.publish(&ours, &bare, headers).await;
            self.consume(&ours, &bare, headers).await;
        }
    }

    async fn publish(&self, ours: &ours::Ours, bare: &bare::Bare, headers: bool) {
        let title = format!("G8: publish, confirmed and mandatory, 200 B{}", with_headers(headers));
        if !self.wants(&title) {
            return;
        }
        let (messages, peer) = (self.messages, "lapin, FuturesUnordered(1024)");
        let mut publishing = Case::new(title, messages);
        for _ in 0..self.rounds {
            publishing.add("ours", Taken::by(ours.publish(messages, headers)).await);
            bare.purge().await;
            publishing.add(peer, Taken::by(bare.publish(messages, headers)).await);
            bare.purge().await;
        }
        publishing.print(&[(peer, (!headers).then_some(G8))]);
    }

    async fn consume(&self, ours: &ours::Ours, bare: &bare::Bare, headers: bool) {
        let what = "the transport alone: consume and ack, prefetch";
        let title = format!("{what} {PREFETCH}, 200 B{}", with_headers(headers));
        if !self.wants(&title) {
            return;
        }
        let messages = self.messages;
        let mut consuming = Case::new(title, messages);
        for _ in 0..self.rounds {
            bare.publish(messages, headers).await;
            consuming.add("ours", Taken::by(ours.consume(messages)).await);
            bare.publish(messages, headers).await;
            consuming.add(AWAITED, Taken::by(bare.consume_awaiting(messages)).await);
            bare.publish(messages, headers).await;
            consuming.add(POLLED, Taken::by(bare.consume_polling(messages)).await);
        }
        consuming
            .print(&[(AWAITED, (!headers).then_some(G7_AWAITED)), (POLLED, (!headers).then_some(G7_POLLED))]);
    }

    /// Whole servers and clients.
    async fn run_library(&self) {
        let library = library::Library::connect(&self.uri).await;
        let bare = bare_asks::BareAsks::connect(&self.uri).await;
        self.handle(&library, &bare).await;
        self.ask(&library, &bare, 64, self.messages / 3, G9_MANY).await;
        self.ask(&library, &bare, 1, self.messages / 15, G9_ONE).await;
        self.chain(&library).await;
    }

    async fn handle(&self, library: &library::Library, bare: &bare_asks::BareAsks) {
        let title = format!("G7: typed handler and ack, prefetch {PREFETCH}, 203 B of JSON");
        if !self.wants(&title) {
            return;
        }
        let messages = self.messages;
        let mut handling = Case::new(title, messages);
        for _ in 0..self.rounds {
            library.fill(messages).await;
            handling.add("ours", library.handle(messages).await);
            library.fill(messages).await;
            handling.add(AWAITED, bare.handle(messages, true).await);
            library.fill(messages).await;
            handling.add(POLLED, bare.handle(messages, false).await);
        }
        handling.print(&[(AWAITED, Some(G7_AWAITED)), (POLLED, Some(G7_POLLED))]);
    }

    async fn ask(
        &self,
        library: &library::Library,
        bare: &bare_asks::BareAsks,
        at_a_time: usize,
        asks: usize,
        goal: Goal,
    ) {
        let title = format!("G9: typed asks, {at_a_time} in flight, 203 B of JSON");
        if !self.wants(&title) {
            return;
        }
        let (lean, alike) = ("lapin, polled once, own queue", "lapin, the same wire work");
        let transient = "ours, transient";
        let asks = asks / at_a_time * at_a_time;
        let mut asking = Case::new(title, asks);
        for _ in 0..self.rounds {
            asking.add("ours", library.ask(asks, at_a_time, false).await);
            asking.add(transient, library.ask(asks, at_a_time, true).await);
            asking.add(lean, bare.ask(asks, at_a_time, Wire::Lean).await);
            asking.add(alike, bare.ask(asks, at_a_time, Wire::Alike).await);
        }
        asking.print(&[(lean, Some(goal)), (alike, None)]);
        asking.compare(transient, lean, None);
    }

    async fn chain(&self, library: &library::Library) {
        let title = "G10: chains hello -> world -> hello that wait in a queue";
        if !self.wants(title) {
            return;
        }
        let chains = self.messages / 3;
        let mut chaining = Case::new(title.into(), chains);
        for _ in 0..self.rounds {
            chaining.add("ours", library.chains(chains).await);
        }
        chaining.print_cpu(&[
            ("the original, a chain", ORIGINAL_CHAIN, Some(G10)),
            ("the original, one call", ORIGINAL_CALL, None),
        ]);
    }
}

/// The CPU time of the original's async engine, over all its processes, for a call that is handled and answered, and for a cast (or
/// response) that is handled, in microseconds: measured with Python 2.7 on two cores of 2.7 GHz, with 5,000 messages queued before.
const ORIGINAL_CALL: f64 = 180.0;
const ORIGINAL_CAST: f64 = 110.0;

/// The same for a chain, computed from its parts: hello handles a cast and calls, world handles the call and answers, hello handles the
/// response.
const ORIGINAL_CHAIN: f64 = 2.0 * ORIGINAL_CALL + ORIGINAL_CAST;

fn with_headers(headers: bool) -> &'static str {
    if headers { ", 7 headers" } else { "" }
}
