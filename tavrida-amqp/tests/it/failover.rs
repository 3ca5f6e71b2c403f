//! Several hosts, and limits of attempts: servers and clients move to another broker, or give up as configured.

use std::time::Duration;

use serde_json::json;
use tavrida::prelude::*;
use tavrida::server::ServerHandle;
use tavrida_amqp::AmqpTransport;
use tavrida_rabbitmq::Node;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::support::{config, soon};

type Running = JoinHandle<Result<(), tavrida::Error>>;

async fn serve(uri: &str) -> (ServerHandle, Running) {
    let echo = Service::new("echo").rpc("say", params(["n"], async |n: i64| json!({ "n": n })));
    let transport = AmqpTransport::new(config(uri));
    let server =
        Server::builder(transport).queue("echo").exchange("echo_exchange").service(echo).build().unwrap();
    let handle = server.handle();
    let task = tokio::spawn(server.serve(std::future::pending()));
    handle.ready(Duration::from_secs(20)).await.unwrap();
    (handle, task)
}

async fn exists(node: &Node, queue: &str) -> bool {
    let exists = format!("rabbit_amqqueue:exists(rabbit_misc:r(<<\"/\">>, queue, <<\"{queue}\">>))");
    node.eval(&exists).await.unwrap() == "true"
}

#[tokio::test]
async fn a_server_and_its_client_move_to_the_next_host_when_theirs_dies_and_back_when_it_lives() {
    let (first, second) = tokio::try_join!(Node::start(), Node::start()).unwrap();
    let uri =
        format!("amqp://guest:guest@127.0.0.1:{},127.0.0.1:{}?retry_delay=0.05", first.port(), second.port());
    let (handle, task) = serve(&uri).await;
    let registry = Registry::new().remote_service("echo", "echo_exchange");
    let client = Client::builder(AmqpTransport::new(config(&uri))).source("caller").discovery(registry);
    let client = client.build().await.unwrap();
    let answer = async |n: i64| {
        // Both move independently: until both have, an ask fails clearly.
        soon(async {
            loop {
                match client.to("echo.say").param("n", n).ask().timeout(Duration::from_secs(1)).await {
                    Ok(answer) => return answer.payload().get::<i64>("n").unwrap(),
                    Err(_) => sleep(Duration::from_millis(20)).await,
                }
            }
        })
        .await
    };
    assert_eq!(answer(1).await, 1);
    assert!(exists(&first, "echo").await && !exists(&second, "echo").await, "the first host is asked first");

    first.kill().await.unwrap();
    assert_eq!(answer(2).await, 2);
    assert!(exists(&second, "echo").await, "topology is declared anew");

    first.start_again().await.unwrap();
    second.kill().await.unwrap();
    assert_eq!(answer(3).await, 3);

    client.close().await;
    handle.stop();
    soon(task).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_server_gives_up_after_the_attempts_that_its_configuration_grants() {
    let node = Node::start().await.unwrap();
    let place = format!("127.0.0.1:{}", node.port());
    let (_, task) = serve(&format!("amqp://guest:guest@{place}?retry_delay=0.01&reconnect_attempts=2")).await;
    node.kill().await.unwrap();
    let error = soon(task).await.unwrap().unwrap_err().to_string();
    assert!(error.starts_with(&format!("no session with amqp://{place}/%2f: ")), "{error}");
    assert!(error.contains(&format!("cannot connect to {place}: ")), "{error}");
}
