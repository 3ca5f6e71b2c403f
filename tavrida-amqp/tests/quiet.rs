//! The log of a healthy system. A separate binary: lapin's threads bypass any subscriber but the process's.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod lines;

use std::time::Duration;

use serde_json::json;
use tavrida::discovery::Registry;
use tavrida::prelude::*;
use tavrida_amqp::{AmqpConfig, AmqpTransport};

use lines::Lines;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clean_shutdown_logs_no_error_and_starts_no_second_runtime() {
    let lines = Lines::default();
    tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).with_writer(lines.clone()).init();
    let vhost = tavrida_rabbitmq::shared_vhost().await.unwrap();
    let transport = AmqpTransport::new(AmqpConfig::from_uri(&vhost.uri()).unwrap());
    for _ in 0..5 {
        let echo = Service::new("echo").rpc("say", params(["n"], async |n: i64| json!({ "n": n })));
        let server = Server::builder(transport.clone()).queue("echo").exchange("echo_exchange").service(echo);
        let server = server.build().unwrap();
        let handle = server.handle();
        let serving = tokio::spawn(server.serve(std::future::pending()));
        handle.ready(Duration::from_secs(20)).await.unwrap();
        let registry = Registry::new().remote_service("echo", "echo_exchange");
        for transport in [transport.clone(), transport.clone().unshared()] {
            let client = Client::builder(transport).source("caller").discovery(registry.clone());
            let client = client.build().await.unwrap();
            client.to("echo.say").param("n", 1).ask().await.unwrap();
            client.to("echo.say").param("n", 2).cast().await.unwrap();
            client.close().await;
        }
        handle.stop();
        serving.await.unwrap().unwrap();
    }
    let logged = lines.text();
    assert_eq!(logged, "");
    #[cfg(target_os = "linux")]
    assert_eq!(runtimes_of_compat(), 0, "connections live in the runtime of the program");
}

/// How many threads `async-compat` started: a runtime with file descriptors of its own, which panics if none are left.
#[cfg(target_os = "linux")]
fn runtimes_of_compat() -> usize {
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    let names =
        threads.filter_map(|thread| std::fs::read_to_string(thread.unwrap().path().join("comm")).ok());
    names.filter(|name| name.starts_with("async-compat")).count()
}
