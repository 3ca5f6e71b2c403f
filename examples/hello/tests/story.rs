//! The output of the example.

use std::sync::Arc;

use tavrida_memory::MemoryBroker;

#[tokio::test(start_paused = true)]
async fn the_service_takes_the_request() {
    let lines = hello::app(Arc::new(MemoryBroker::new().transport())).await.expect("it goes well");
    assert_eq!(lines, ["hello: a request from client_app with param = 123"]);
}
