//! The output of the example.

use std::sync::Arc;

use tavrida_memory::MemoryBroker;

async fn lines() -> Vec<String> {
    two_friends::app(Arc::new(MemoryBroker::new().transport())).await.expect("it goes well")
}

#[tokio::test(start_paused = true)]
async fn the_chain_ends_in_the_world_response() {
    let last = lines().await.pop().expect("a story");
    assert_eq!(
        last,
        "response test_world.world -> test_hello: response from world to hello, param = \"world response\", \
         context {\"param\":\"world response\"}"
    );
}

#[tokio::test(start_paused = true)]
async fn each_hop_is_told_with_its_chain() {
    let lines = lines().await;
    for told in [
        "request client_app -> test_hello.hello: request to hello, param = 123, chain chain-2",
        "notification test_hello.hello: notification from hello, param = \"hello publication, param = 123\"",
        "request test_hello.hello -> test_world.world: request to world, param = 12345, context {\"param\":12345}",
    ] {
        assert!(lines.iter().any(|line| line == told), "nobody told {told:?} in {lines:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_of_the_world_comes_to_hellos_error_handler() {
    let lines = lines().await;
    let error = lines.iter().find(|line| line.contains("error from world")).expect("told");
    assert!(
        error
            .starts_with("test_world.world answered with the error world.Negative (4000): -55 is below zero")
    );
}
