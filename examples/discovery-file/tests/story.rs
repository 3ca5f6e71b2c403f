//! The output of the example.

use std::sync::Arc;

use tavrida_memory::MemoryBroker;

#[tokio::test(start_paused = true)]
async fn the_guest_is_greeted_and_the_archive_keeps_it() {
    let lines = discovery_file::app(Arc::new(MemoryBroker::new().transport())).await.expect("it goes well");
    assert_eq!(lines, ["archive: kept \"привет, Ann\"", "guest: got \"привет, Ann\""]);
}
