//! The output of the example.

use std::sync::Arc;

use tavrida_memory::MemoryBroker;

#[tokio::test(start_paused = true)]
async fn both_subscribers_hear_and_nobodys_hearing_is_told() {
    let mut lines =
        notifications::app(Arc::new(MemoryBroker::new().transport())).await.expect("it goes well");
    lines.sort();
    assert_eq!(
        lines,
        [
            "audit: heard orders.created of order 7",
            "billing: heard orders.created of order 7",
            "orders: order 7 is archived, and that was Unheard",
            "orders: order 7 is created, and that was Routed",
        ]
    );
}
