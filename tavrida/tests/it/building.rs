//! Invalid configurations are reported at build time, with their culprit.

use std::time::Duration;

use tavrida::discovery::Registry;
use tavrida::prelude::*;
use tavrida::server::ServerBuilder;
use tavrida_memory::MemoryBroker;

async fn fine() {}

fn builder(service: Service) -> ServerBuilder {
    Server::builder(MemoryBroker::new().transport()).queue("queue").exchange("exchange").service(service)
}

fn flaw(server: ServerBuilder) -> String {
    let error = server.build().expect_err("it is put together wrongly");
    error.to_string()
}

#[test]
fn a_server_without_queue_exchange_or_service_says_what_to_write() {
    let bare = || Server::builder(MemoryBroker::new().transport());
    let two =
        || bare().service(Service::new("one").rpc("do", fine)).service(Service::new("two").rpc("do", fine));
    assert!(flaw(two()).contains(r#".queue("test_service")"#));
    assert!(flaw(two().queue("q")).contains(r#".exchange("test_exchange")"#));
    assert!(flaw(bare().queue("q").exchange("e")).contains(".service(...)"));
    assert!(flaw(bare().queue("q".repeat(256)).exchange("e")).contains("256 bytes"));
}

/// RabbitMQ declares them without their line breaks: the server would never be ready.
#[tokio::test(start_paused = true)]
async fn names_that_would_not_be_found_again_are_refused_where_they_are_given() {
    let work = || Service::new("work").rpc("do", fine);
    for name in ["a\r\nb", "a\n", "\r"] {
        let refused = format!("{name:?} has a line break in it");
        let queue = flaw(builder(work()).queue(name));
        assert!(queue.contains("the queue") && queue.contains(&refused), "{queue}");
        let exchange = flaw(builder(work()).exchange(name));
        assert!(exchange.contains("the exchange") && exchange.contains(&refused), "{exchange}");
        let registry = Registry::new().remote_publisher("other", name);
        let publisher = flaw(builder(work().on_notification("other.event", fine).discovery(registry)));
        assert!(publisher.contains("other") && publisher.contains(&refused), "{publisher}");
        let client = Client::builder(MemoryBroker::new().transport()).source("app").reply_exchange(name);
        let client = client.build().await.expect_err("it is refused").to_string();
        assert!(client.contains("the reply exchange") && client.contains(&refused), "{client}");
    }
    let strange = "tab\tnul\0bell\u{7}é\u{1f600}";
    let server = builder(work()).queue(strange).exchange(strange).start().await;
    server.expect("RabbitMQ takes all others").shutdown().await.expect("it stops");
    let no_room = flaw(builder(work()).queue("q".repeat(251)));
    assert!(no_room.contains("256 bytes"), "its dead-letter queue has a longer name: {no_room}");
}

#[test]
fn a_server_of_one_service_bears_its_name_where_no_other_is_given() {
    let built = |server: ServerBuilder| server.build().expect("nothing is missing").plan().to_string();
    let work =
        || Server::builder(MemoryBroker::new().transport()).service(Service::new("work").rpc("do", fine));
    let plan = built(work());
    assert!(
        plan.contains("queue work (durable") && plan.contains("bind work <- work_exchange: work.#"),
        "{plan}"
    );
    assert!(
        plan.contains("exchange work_notifications (topic, durable)"),
        "what it publishes has somewhere to go: {plan}"
    );
    let plan = built(work().queue("q").exchange("e"));
    assert!(plan.contains("bind q <- e: work.#"), "{plan}");
    let long = "w".repeat(250);
    let long = Server::builder(MemoryBroker::new().transport()).service(Service::new(&long).rpc("do", fine));
    assert!(flaw(long).contains(&"w".repeat(250)), "the name of its exchange would be too long");
}

#[test]
fn a_service_without_handlers_or_with_a_bad_name_is_named() {
    assert_eq!(flaw(builder(Service::new("empty"))), "service 'empty' has no handler");
    assert!(flaw(builder(Service::new("a.b").rpc("c", fine))).contains("'a.b' is no name of a service"));
    assert!(flaw(builder(Service::new("#").rpc("c", fine))).contains("wildcard"));
}

#[test]
fn two_handlers_for_one_entry_point_are_refused_and_of_two_kinds_are_not() {
    let twice = Service::new("work").rpc("do", fine).rpc("do", fine);
    assert_eq!(flaw(builder(twice)), "two handlers for the request work.do");
    let kinds = Service::new("work").rpc("do", fine).on_response("work.do", fine).on_error("work.do", fine);
    assert!(builder(kinds).build().is_ok());
}

#[test]
fn two_services_of_one_name_or_for_the_same_requests_are_refused() {
    let again =
        builder(Service::new("work").rpc("do", fine)).service(Service::new("work").rpc("other", fine));
    assert_eq!(flaw(again), "two services are named 'work' in one server");
    let same = builder(Service::new("one").rpc("shared.do", fine))
        .service(Service::new("two").rpc("shared.more", fine));
    assert_eq!(flaw(same), "two services answer requests to 'shared' in one server");
}

#[test]
fn a_subscription_whose_publisher_nobody_knows_is_named() {
    let deaf = Service::new("deaf").on_notification("orders.created", fine).discovery(Registry::new());
    let text = flaw(builder(deaf));
    assert!(
        text.starts_with("service 'deaf' subscribes to orders.created: no discovery knows the publisher"),
        "{text}"
    );
}

#[test]
fn an_argument_that_can_never_be_extracted_is_named_with_its_handler() {
    async fn wants_state(_: State<Vec<u8>>) {}
    async fn wants_response(_: Response) {}
    let text = flaw(builder(Service::new("work").rpc("do", wants_state)));
    assert!(
        text.starts_with("service 'work', handler of the request work.do: the service has no state of type"),
        "{text}"
    );
    let text = flaw(builder(Service::new("work").rpc("do", wants_response)));
    assert_eq!(
        text,
        "service 'work', handler of the request work.do: it takes a response, and will only ever get a request"
    );
}

#[test]
fn a_handler_of_a_whole_service_and_of_an_askers_address_are_refused() {
    assert!(flaw(builder(Service::new("work").on_response("other", fine))).contains("names no method"));
    assert!(flaw(builder(Service::new("work").rpc("~mine", fine))).contains("as the addresses of askers do"));
}

#[test]
fn delayed_retry_and_ordered_mode_exclude_each_other() {
    let retry = Retry::times(1).between(Duration::from_secs(1), Duration::from_secs(1)).then_dead_letter();
    let ordered = builder(Service::new("work").rpc("do", fine)).concurrency(1).on_failure(retry);
    assert!(flaw(ordered).contains("keeps the order of messages, and a delayed retry breaks it"));
}

#[test]
fn a_prefetch_without_limit_is_refused() {
    assert!(flaw(builder(Service::new("work").rpc("do", fine)).prefetch(0)).contains("at least 1"));
}

#[test]
fn a_registry_that_was_filled_wrongly_is_told_by_server_and_client() {
    let wrong = || Registry::new().remote_service("a.b", "exchange");
    let text = flaw(builder(Service::new("work").rpc("do", fine).discovery(wrong())));
    assert!(text.contains("a.b"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_client_needs_a_source() {
    let error = Client::builder(MemoryBroker::new().transport()).build().await.expect_err("nobody sends");
    assert_eq!(error.code(), 1003);
    assert!(error.to_string().contains(r#".source("client_app")"#), "{error}");
}

#[test]
fn servers_services_and_clients_can_be_sent_to_other_threads() {
    fn is_send<T: Send + 'static>() {}
    fn is_sync<T: Sync>() {}
    is_send::<Server>();
    is_send::<Service>();
    is_send::<Client>();
    is_sync::<Client>();
    is_send::<Proxy>();
    is_sync::<Proxy>();
    is_send::<tavrida::Error>();
    is_send::<tavrida::outbound::SendError>();
}
