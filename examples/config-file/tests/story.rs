//! The output of the example.

use std::sync::Arc;

use tavrida_memory::MemoryBroker;

#[tokio::test(start_paused = true)]
async fn each_file_runs_its_own_service_and_they_find_each_other() {
    let lines = config_file::app(Arc::new(MemoryBroker::new().transport())).await.expect("it goes well");
    let expected = [
        "world.toml: world_queue on amqp://localhost:5672/%2f",
        "hello.toml: hello_queue on amqp://localhost:5672/%2f",
        "world: heard \"hello, Ann of the whole world\"",
        "guest: got \"hello, Ann of the whole world\"",
    ];
    assert_eq!(lines, expected);
}
