//! Copies of failed messages, where frames have a size: they fit wherever the message fitted.

use std::time::Duration;

use tavrida::Health;
use tavrida::field::{ShortString, Table, Value};
use tavrida::prelude::*;
use tavrida::server::{DeclareMode, ServerBuilder};
use tavrida::transport::{Properties, Queue};
use tavrida_memory::MemoryBroker;

use crate::fixture::{Fixture, Notes, Running, name, request_headers, within};

const FRAME: usize = 8192;
const BODY: &str = r#"{"payload": {}, "context": {}}"#;

async fn fail(notes: State<Notes>, attempt: Attempt) -> Result<()> {
    notes.add(format!("try {}", attempt.number));
    Err(Failure::new("test.Broken", "é".repeat(10_000)))
}

async fn fixture(policy: FailurePolicy) -> (Fixture, Notes, Running) {
    let fixture = Fixture { broker: MemoryBroker::builder().frame_max(FRAME as u32).build() };
    let notes = Notes::default();
    let service = Service::new("work").state(notes.clone()).rpc("fail", fail);
    let server = fixture.run(fixture.server(service).on_failure(policy)).await;
    (fixture, notes, server)
}

/// Returns headers of a request that leave this many bytes of their frame.
fn headers_that_leave(room: usize) -> Table {
    let with = |len: usize| request_headers("work.fail", "").with(name("long"), "l".repeat(len));
    let len = |headers: Table| Properties { headers: Some(headers), ..Properties::default() }.encoded_len();
    with(FRAME - 8 - room - len(with(0)))
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_fits_wherever_its_message_fitted_and_says_as_much_as_there_is_room_for() {
    let (fixture, _, server) = fixture(FailurePolicy::dead_letter()).await;
    let mut reasons = 0;
    for room in (0..=700).step_by(50) {
        fixture.inject("work", headers_that_leave(room), BODY).await;
        let letter = fixture.take("work.dead").await;
        assert_eq!(&letter.body[..], BODY.as_bytes());
        assert!(letter.properties.headers().contains("long"), "{room}");
        reasons += usize::from(letter.properties.headers().contains("x-tavrida-reason"));
    }
    assert!((1..15).contains(&reasons), "{reasons} of 15 had room for the reason");
    assert_eq!(server.handle.counters().stuck, 0);
}

#[tokio::test(start_paused = true)]
async fn a_message_without_room_for_the_number_of_its_next_try_is_not_tried_for_ever() {
    let retry = Retry::times(3).between(Duration::from_secs(1), Duration::from_secs(1));
    let (fixture, notes, _server) = fixture(retry.then_dead_letter()).await;
    fixture.inject("work", headers_that_leave(0), BODY).await;
    fixture.take("work.dead").await;
    assert_eq!(notes.all(), ["try 1"]);
}

#[tokio::test(start_paused = true)]
async fn a_long_text_of_a_failure_is_cut_between_letters() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let _server = fixture.host(Service::new("work").state(notes).rpc("fail", fail)).await;
    fixture.inject("work", request_headers("work.fail", ""), BODY).await;
    let letter = fixture.take("work.dead").await;
    let text = letter.properties.headers().get("x-tavrida-error-message").and_then(Value::as_str);
    let text = text.expect("text");
    assert!(text.len() <= 4096 && text.ends_with("é... (cut: 20000 bytes)"), "{text}");
}

/// Returns a server whose queue of dead letters takes nothing until it is deleted.
async fn without_dead_letters(configure: impl FnOnce(ServerBuilder) -> ServerBuilder) -> (Fixture, Running) {
    let fixture = Fixture::new();
    let session = fixture.session().await;
    let full = Queue::durable(name("work.dead"))
        .argument(ShortString::from_static("x-max-length"), 0)
        .argument(ShortString::from_static("x-overflow"), "reject-publish");
    for queue in [full, Queue::durable(name("work"))] {
        session.admin().declare_queue(&queue).await.expect("a queue");
    }
    let work = Service::new("work").state(Notes::default()).rpc("fail", fail).rpc("note", || async {});
    let server = fixture.run(configure(fixture.server(work).declare_mode(DeclareMode::Skip))).await;
    (fixture, server)
}

async fn until(server: &Running, stuck: u64, handled: u64) {
    within(async {
        while (server.handle.counters().stuck, server.handle.counters().handled) != (stuck, handled) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn while_no_copy_can_be_made_handlers_go_on_and_the_message_is_tried_again() {
    let (fixture, server) = without_dead_letters(|server| server.concurrency(2)).await;
    for _ in 0..20 {
        fixture.inject("work", request_headers("work.fail", ""), BODY).await;
    }
    fixture.inject("work", request_headers("work.note", ""), BODY).await;
    until(&server, 20, 1).await;
    fixture.session().await.admin().delete_queue("work.dead", false, false).await.expect("deleted");
    until(&server, 0, 1).await;
    assert_eq!(fixture.depth("work.dead").await, 20, "declared again, and each is there");
}

#[tokio::test(start_paused = true)]
async fn a_server_whose_prefetch_is_taken_up_by_stuck_messages_is_degraded() {
    let (fixture, server) = without_dead_letters(|server| server.prefetch(2)).await;
    for method in ["work.fail", "work.fail", "work.note"] {
        fixture.inject("work", request_headers(method, ""), BODY).await;
    }
    until(&server, 2, 0).await;
    let health = server.handle.health();
    let Health::Degraded { why } = &health else { panic!("{health}") };
    assert!(why.ends_with("2 of 2 places of the prefetch"), "{why}");
    assert_eq!(fixture.depth("work").await, 1, "the broker delivers nothing more");
    fixture.session().await.admin().delete_queue("work.dead", false, false).await.expect("deleted");
    until(&server, 0, 1).await;
    assert_eq!(server.handle.health(), Health::Ready);
}
