//! Runs the promises against one transport.

use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tavrida::transport::{Broker, Transport};
use tokio::time::timeout;

use crate::check::{Fault, Kept};
use crate::harness::Harness;
use crate::promise::{Need, V4_0};
use crate::settings::Settings;
use crate::{Capability, Finding, Promise, Report, Verdict, promises};

/// The suite, configured for one transport. See the [crate](crate).
#[must_use = "a suite does nothing until it is run"]
pub struct Suite {
    settings: Settings,
    room: Option<String>,
}

impl Suite {
    /// Returns the suite with all promises, for a transport to a broker with all capabilities.
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        let settings = Settings {
            transport,
            prefix: format!("conformance-{}", std::process::id()),
            virtual_host: "/".to_owned(),
            login: "guest".to_owned(),
            patience: Duration::from_secs(10),
            lacking: Default::default(),
            breaker: None,
            alarm: None,
            rounds: None,
            like: None,
        };
        Self { settings, room: None }
    }

    /// Sets the prefix of the names of all exchanges and queues. The default is `conformance-` and the number of this process. Concurrent
    /// runs on one broker need different prefixes.
    ///
    /// # Panics
    ///
    /// Panics if it is longer than 100 bytes, or not ASCII.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.settings.prefix = prefix.into();
        let prefix = &self.settings.prefix;
        assert!(prefix.is_ascii() && prefix.len() <= 100, "the prefix {prefix:?} is not short ASCII");
        self
    }

    /// Skips the promises that need a capability that this broker lacks.
    pub fn without(mut self, capability: Capability) -> Self {
        self.settings.lacking.insert(capability);
        self
    }

    /// Sets how to close the sessions' connections from the broker's side, as an operator would: with code 320. The future completes when
    /// the broker has closed them; the sessions may learn of it later. Without a breaker, the promises about loss are skipped.
    pub fn with_breaker<F, Fut>(mut self, breaker: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.settings.breaker = Some(Arc::new(move || Box::pin(breaker())));
        self
    }

    /// Sets how to raise (`true`) and clear (`false`) an alarm, such as low memory, during which the broker blocks publishers. Without it,
    /// the promises about alarms are skipped.
    pub fn with_alarm<F, Fut>(mut self, alarm: F) -> Self
    where
        F: Fn(bool) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.settings.alarm = Some(Arc::new(move |raised| Box::pin(alarm(raised))));
        self
    }

    /// Sets how long the broker may take to retry dead letters that a target did not accept: RabbitMQ's
    /// `dead_letter_worker_publisher_confirm_timeout`, 3 minutes by default. Without it, the promises about at-least-once dead-lettering
    /// are skipped.
    pub fn dead_letters_anew_within(mut self, time: Duration) -> Self {
        self.settings.rounds = Some(time);
        self
    }

    /// Sets the version of RabbitMQ, major and minor, whose values are promised, such as `(4, 0)`. The default is what the broker
    /// [reports](tavrida::transport::Session::broker); for a broker that reports no version of RabbitMQ, it is 4.0.
    pub fn like(mut self, version: (u16, u16)) -> Self {
        self.settings.like = Some(version);
        self
    }

    /// Sets the virtual host of the transport, as the broker's texts name it. The default is `/`.
    pub fn virtual_host(mut self, name: impl Into<String>) -> Self {
        self.settings.virtual_host = name.into();
        self
    }

    /// Sets the user name of the transport, as the broker knows it. The default is `guest`.
    pub fn login(mut self, name: impl Into<String>) -> Self {
        self.settings.login = name.into();
        self
    }

    /// Sets how long to wait for what must happen. The default is 10 seconds. A broker that keeps its promises causes no such wait.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.settings.patience = patience;
        self
    }

    /// Runs only the promises of one room, such as `publishing`, and leaves the others out of the report.
    ///
    /// # Panics
    ///
    /// Panics if there is no such room.
    pub fn only(mut self, room: impl Into<String>) -> Self {
        let room = room.into();
        assert!(promises().iter().any(|promise| promise.room() == room), "there is no room {room:?}");
        self.room = Some(room);
        self
    }

    /// Runs all promises in turn, and prints a line for each on standard output.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the topology of the promise under way remains on the broker.
    pub async fn run(self) -> Report {
        let Self { settings, room } = self;
        let broker = reported(&settings).await;
        let like = settings.like.or_else(|| broker.as_ref()?.rabbitmq()).unwrap_or(V4_0);
        let settings = Arc::new(settings);
        let mut report = Report::new(broker);
        for (number, promise) in promises().into_iter().enumerate() {
            if room.as_deref().is_some_and(|room| room != promise.room()) {
                continue;
            }
            let verdict = match hindrance(&settings, &promise, like) {
                Some(reason) => Verdict::Skipped(reason),
                None => check(&settings, number, &promise).await,
            };
            tell(&mut report, &promise, verdict);
        }
        print(&report.summary());
        report
    }
}

/// Returns what the broker reports, if it can be reached; whether it can is checked by the promises.
async fn reported(settings: &Settings) -> Option<Broker> {
    let connecting = AssertUnwindSafe(settings.transport.connect()).catch_unwind();
    let session = timeout(settings.patience, connecting).await.ok()?.ok()?.ok()?;
    let broker = session.broker();
    let _ = timeout(settings.patience, session.close()).await;
    broker
}

/// Returns why a promise cannot be checked, if it cannot.
fn hindrance(settings: &Settings, promise: &Promise, like: (u16, u16)) -> Option<String> {
    if !promise.holds_for(like) {
        return Some(format!("RabbitMQ {}.{} differs", like.0, like.1));
    }
    promise.needs().iter().find_map(|need| match need {
        Need::Capability(capability) => {
            settings.lacking.contains(capability).then(|| format!("this broker is without {capability}"))
        }
        Need::Breaker => settings.breaker.is_none().then(|| "no breaker was given".to_owned()),
        Need::Alarm => settings.alarm.is_none().then(|| "no alarm was given".to_owned()),
        Need::Rounds => {
            settings.rounds.is_none().then(|| "when dead letters are sent anew was not told".to_owned())
        }
    })
}

async fn check(settings: &Arc<Settings>, number: usize, promise: &Promise) -> Verdict {
    let harness = Harness::new(settings.clone(), number);
    let found = guarded(settings, promise, harness.clone()).await;
    let cleared =
        AssertUnwindSafe(harness.clear()).catch_unwind().await.unwrap_or_else(|panic| Err(panicked(&*panic)));
    match found.and(cleared) {
        Ok(()) => Verdict::Kept,
        Err(Fault { expected, seen }) => Verdict::Broken { expected, seen },
    }
}

/// Runs a check so that neither a panic nor a hang of the transport ends the run.
async fn guarded(settings: &Settings, promise: &Promise, harness: Harness) -> Kept {
    // Each step of a check has a limit; a step without one shows here.
    let rounds = settings.rounds.filter(|_| promise.needs_rounds()).unwrap_or_default();
    let limit = 12 * (settings.patience + rounds);
    match timeout(limit, AssertUnwindSafe(promise.check(harness)).catch_unwind()).await {
        Ok(Ok(found)) => found,
        Ok(Err(panic)) => Err(panicked(&*panic)),
        Err(_) => Err(Fault::new(format_args!("an end within {limit:?}"), "none")),
    }
}

fn panicked(panic: &(dyn Any + Send)) -> Fault {
    Fault::new("no panic", format_args!("a panic: {}", words(panic)))
}

fn words(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without words")
}

fn tell(report: &mut Report, promise: &Promise, verdict: Verdict) {
    let (room, source) = (promise.room(), promise.source());
    let finding = Finding { room, promise: promise.text(), source, verdict };
    print(&finding.to_string());
    report.add(finding);
}

#[expect(clippy::print_stdout, reason = "the lines are the suite's product")]
fn print(line: &str) {
    println!("{line}");
}
