//! What is logged about a message, and what is not.

use std::io;
use std::sync::{Arc, LazyLock, Mutex};

use serde_json::json;
use tavrida::discovery::Registry;
use tavrida::field::{Table, Value};
use tavrida::prelude::*;
use tracing_subscriber::fmt::MakeWriter;

use crate::fixture::{Fixture, name, request_headers, within};

/// Collects the log.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("no panic while logging").clone()).expect("logs are text")
    }

    /// Starts to log on this thread.
    pub(crate) fn begin(&self) -> tracing::subscriber::DefaultGuard {
        /// While it lives, no place that logs is switched off for the whole process because another test's log has just ended.
        static ALWAYS: LazyLock<tracing::Dispatch> = LazyLock::new(|| {
            let silent =
                tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(io::sink);
            tracing::Dispatch::new(silent.finish())
        });
        LazyLock::force(&ALWAYS);
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(self.clone())
            .finish();
        tracing::subscriber::set_default(subscriber)
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic while logging").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

async fn work() -> serde_json::Value {
    tracing::info!("the handler's own line");
    json!({ "done": true })
}

async fn log_of_one_ask(payloads: bool) -> String {
    let (fixture, log) = (Fixture::new(), Log::default());
    let _logging = log.begin();
    let _server =
        fixture.run(fixture.server(Service::new("work").rpc("do", work)).log_payloads(payloads)).await;
    let client = fixture.client(&["work"]).await;
    let request = client.to("work.do").param("card", "4711-0815").correlation_id("chain-7");
    request.header("authorization", "Bearer abc").ask().await.expect("an answer");
    log.text()
}

#[tokio::test(start_paused = true)]
async fn each_hop_is_logged_with_kind_addresses_ids_and_outcome() {
    let log = log_of_one_ask(false).await;
    let line = |part: &str| {
        log.lines().find(|line| line.contains(part)).unwrap_or_else(|| panic!("no '{part}' in\n{log}"))
    };
    let sent = line("sent kind=\"request\"");
    for part in
        ["source=\"client_app\"", "destination=\"work.do\"", "correlation_id=chain-7", "outcome=Ok(Routed)"]
    {
        assert!(sent.contains(part), "{part} in {sent}");
    }
    let own = line("the handler's own line");
    for part in ["message{", "kind=\"request\"", "correlation_id=chain-7", "attempt=1"] {
        assert!(own.contains(part), "{part} in {own}");
    }
    assert!(line("worked").contains("outcome=handled disposition=Ack"));
    line("sent kind=\"response\"");
}

#[tokio::test(start_paused = true)]
async fn payloads_are_logged_only_where_asked_for_and_secrets_never() {
    let quiet = log_of_one_ask(false).await;
    assert!(!quiet.contains("4711-0815"), "{quiet}");
    let talkative = log_of_one_ask(true).await;
    assert!(talkative.contains("4711-0815"), "{talkative}");
    for log in [quiet, talkative] {
        assert!(!log.contains("Bearer abc"), "{log}");
        assert!(log.contains("<masked>"), "{log}");
    }
}

/// What is logged of foreign messages.
async fn log_of_foreign(messages: impl IntoIterator<Item = (Table, &str)>) -> String {
    let (fixture, log) = (Fixture::new(), Log::default());
    let _logging = log.begin();
    async fn number(n: i64) -> serde_json::Value {
        json!({ "n": n })
    }
    let work = Service::new("work").rpc("do", params(["n"], number));
    let registry = Registry::new().remote_publisher("foe", "foe_events");
    let server = fixture.host(work.discovery(registry).on_notification("foe.did", || async {})).await;
    for (count, (headers, body)) in (1..).zip(messages) {
        fixture.inject("work", headers, body.to_owned()).await;
        within(async {
            while server.handle.counters().dead_lettered < count {
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
        })
        .await;
    }
    log.text()
}

#[tokio::test(start_paused = true)]
async fn a_message_cannot_write_lines_of_the_log() {
    const LINE: &str = "x\n2026-01-01T00:00:00Z ERROR tavrida: forged\u{1b}[31m";
    let body = r#"{"payload": {"n": 1}, "context": {}}"#;
    let headers =
        ["source", "destination", "reply_to", "correlation_id", "request_id", "message_id", "message_type"];
    let forged = headers.map(|header| (request_headers("work.nothing", "").with(name(header), LINE), body));
    let log = log_of_foreign(forged).await;
    assert!(log.lines().count() > 20, "{log}");
    let foreign: Vec<_> =
        log.lines().filter(|line| !line.starts_with("20") || line.contains('\u{1b}')).collect();
    assert_eq!(foreign, [""; 0]);
    let forged = log.lines().find(|line| line.contains("ERROR tavrida: forged") && !line.contains("\\n2026"));
    assert_eq!(forged, None);
}

#[tokio::test(start_paused = true)]
async fn errors_about_payloads_do_not_log_them() {
    let secret = "4711-0815";
    let bodies = [
        format!(r#"{{"payload": {{"n": "{secret}"}}, "context": {{}}}}"#),
        format!(r#"{{"payload": "{secret}", "context": {{}}}}"#),
        format!(r#"["{secret}"]"#),
        format!(r#"{{"payload": {{}}, "context": {{}}, {secret}"#),
    ];
    let messages = bodies.iter().map(|body| (request_headers("work.do", ""), body.as_str()));
    let log = log_of_foreign(messages).await;
    assert!(log.contains("invalid type: string, expected i64"), "{log}");
    assert!(!log.contains(secret), "{log}");
}

#[tokio::test(start_paused = true)]
async fn what_one_message_says_is_logged_in_few_and_short_lines() {
    let body = r#"{"payload": {"n": 1}, "context": {}}"#;
    let mut event = request_headers("", "").with(name("message_type"), "notification");
    event.insert(name("source"), "foe.did");
    let due: String = (0..20_000).map(|n| format!("{n},")).collect();
    let many = (0..2_000).map(|n| (name(&format!("h{n}")), Value::F64(0.5)));
    let harmful = request_headers("work.do", "").into_iter().chain(many).collect::<Table>();
    let lacking = r#"{"payload": {}, "context": {}}"#;
    let log = log_of_foreign([(event.with(name("x-tavrida-due"), due), body), (harmful, lacking)]).await;
    assert!(log.contains("a copy is for services that are not here"), "{log}");
    assert!(log.contains("headers are not passed on") && log.contains("count=2000"), "{log}");
    let long = |line: &&str| line.len() > 2_000 && !line.contains(" DEBUG ") && !line.contains(" TRACE ");
    assert_eq!(log.lines().find(long), None);
    assert!(log.lines().filter(|line| line.contains(" WARN ")).count() < 10, "{log}");
}
