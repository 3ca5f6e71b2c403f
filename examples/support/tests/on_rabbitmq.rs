//! Every example has the same output on RabbitMQ as on the in-process broker.

use std::fs;
use std::path::Path;

use example_support::{Broker, broker_of};
use tavrida::prelude::Result;

/// Returns the lines sorted: the services print theirs concurrently.
async fn told(app: impl AsyncFn(Broker) -> Result<Vec<String>>, broker: Broker) -> Vec<String> {
    let mut lines = app(broker).await.expect("the example goes well");
    lines.sort();
    lines
}

async fn same_on_both(app: impl AsyncFn(Broker) -> Result<Vec<String>>) {
    let vhost = tavrida_rabbitmq::shared_vhost().await.expect("a RabbitMQ node");
    // The same as `cargo run -p NAME -- --amqp URI`, and `cargo run -p NAME`.
    let on_rabbitmq = broker_of(["--amqp".to_owned(), vhost.uri()]).expect("the command line is right");
    let on_rabbitmq = told(&app, on_rabbitmq).await;
    let in_memory = told(&app, broker_of([]).expect("no arguments are right")).await;
    assert!(!on_rabbitmq.is_empty());
    assert_eq!(on_rabbitmq, in_memory);
}

#[tokio::test]
async fn hello_tells_the_same_on_rabbitmq() {
    same_on_both(hello::app).await;
}

#[tokio::test]
async fn two_friends_tell_the_same_on_rabbitmq() {
    same_on_both(two_friends::app).await;
}

#[tokio::test]
async fn notifications_tell_the_same_on_rabbitmq() {
    same_on_both(notifications::app).await;
}

#[tokio::test]
async fn middleware_tells_the_same_on_rabbitmq() {
    same_on_both(middleware::app).await;
}

#[tokio::test]
async fn the_discovery_file_tells_the_same_on_rabbitmq() {
    same_on_both(discovery_file::app).await;
}

#[tokio::test]
async fn the_configuration_files_tell_the_same_on_rabbitmq() {
    same_on_both(config_file::app).await;
}

#[tokio::test]
async fn the_client_tells_the_same_on_rabbitmq() {
    same_on_both(client_only::app).await;
}

#[test]
fn no_example_is_left_out_here() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("it lies among the examples");
    let here = include_str!("on_rabbitmq.rs");
    let mut found = 0;
    for folder in fs::read_dir(examples).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        let runs_on_either = fs::read_to_string(folder.join("src/main.rs"));
        if runs_on_either.is_ok_and(|main| main.contains("broker_of_arguments")) {
            let name = folder.file_name().and_then(|name| name.to_str()).expect("a name").replace('-', "_");
            assert!(here.contains(&format!("same_on_both({name}::app)")), "{name} is missing");
            found += 1;
        }
    }
    assert!(found >= 7, "{found}");
}

#[test]
fn a_wrong_command_line_says_what_is_expected() {
    let wrong = ["--amqps", "amqp://localhost"].map(str::to_owned);
    let error = broker_of(wrong).map(drop).expect_err("there is no such argument");
    assert!(error.message().starts_with("expected nothing, or `--amqp amqp://"), "{error}");
    let wrong = ["--amqp", "http://localhost"].map(str::to_owned);
    let error = broker_of(wrong).map(drop).expect_err("no AMQP URI");
    assert!(error.message().starts_with("scheme: "), "{error}");
}
