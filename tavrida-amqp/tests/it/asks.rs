//! What the broker keeps of asks.

use tavrida::proxy::AskError;
use tavrida_rabbitmq::Node;

use crate::fixture::{Notes, client, eventually, serve, server, work};
use crate::support::{config, connect, count, drain, soon};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transient_request_does_not_survive_a_restart_of_the_broker() {
    let (node, notes) = (Node::start().await.unwrap(), Notes::new());
    // The queue then exists, and has no consumer.
    let (handle, serving) = serve(server(&node.uri(), work(&notes))).await;
    handle.stop();
    soon(serving).await.unwrap().unwrap();
    let client = client(&node.uri()).await;
    let asks =
        [client.to("work.once").param("n", 1).ask(), client.to("work.once").param("n", 2).ask().transient()];
    let waiting = asks.map(|ask| tokio::spawn(ask));
    let session = connect(config(&node.uri())).await;
    eventually("both wait", async || count(&session, "work").await == 2).await;

    node.stop_app().await.unwrap();
    node.start_app().await.unwrap();

    for ask in waiting {
        assert!(matches!(soon(ask).await.unwrap(), Err(AskError::Lost(_))));
    }
    let session = connect(config(&node.uri())).await;
    let left = drain(&session, "work").await;
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(left[0].contains(r#""n":1"#), "{left:?}");
}
