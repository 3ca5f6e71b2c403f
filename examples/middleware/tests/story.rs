//! The output of the example.

use std::sync::Arc;

use tavrida_memory::MemoryBroker;

#[tokio::test(start_paused = true)]
async fn only_the_right_key_opens_and_every_request_is_logged() {
    let lines = middleware::app(Arc::new(MemoryBroker::new().transport())).await.expect("it goes well");
    assert_eq!(
        lines,
        [
            "log: request visitor -> doors.open went wrong",
            "visitor: doors.open answered with the error door.NoKey (401): a key is needed",
            "log: request visitor -> doors.open went wrong",
            "visitor: doors.open answered with the error door.WrongKey (403): the key does not fit",
            "log: request visitor -> doors.open went well",
            "visitor: open is front, stamped by Some(\"doors 1.0\")",
        ]
    );
}
