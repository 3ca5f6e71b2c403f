//! Each error of this library has a stable class and code when a handler passes it on with `?`.

use std::time::Duration;

use tavrida::discovery::{Discovery, Registry, Role};
use tavrida::field::ShortString;
use tavrida::json::Object;
use tavrida::prelude::*;
use tavrida::proxy::AskError;
use tavrida::transport::{
    BrokerError, ConnectionLost, ConsumerError, Publication, PublishError, PublishErrorKind, SessionError,
};
use tavrida::{Backoff, envelope};
use tavrida_memory::MemoryBroker;

use crate::fixture::name;

fn lost() -> ConnectionLost {
    ConnectionLost::broken("cut")
}

fn unpublished(reason: PublishErrorKind) -> PublishError {
    PublishError::new(reason, Publication::new(name("e"), name("k"), ""))
}

fn refusal(code: u16) -> BrokerError {
    BrokerError::channel(code, "REFUSED")
}

#[tokio::test(start_paused = true)]
async fn each_error_has_a_documented_class_and_code() {
    let timeout =
        AskError::Timeout { destination: "a.b".parse().expect("an address"), after: Duration::ZERO };
    let registry = Registry::new();
    let client = Client::builder(MemoryBroker::new().transport()).source("app").reconnect(Backoff::default());
    let client = client.discovery(Registry::new()).build().await.expect("a client");
    let not_sent = client.to("nobody.there").ask().await.expect_err("no discovery knows it");
    let unread =
        || envelope::decode(&Publication::new(name("e"), name("k"), "")).expect_err("it has no headers");
    let table: [(Failure, &str, i64); 23] = [
        (timeout.into(), "Timeout", 1000),
        (AskError::Lost(lost()).into(), "Closed", 1000),
        (not_sent.into(), "UnableToDiscover", 1007),
        (lost().into(), "Closed", 1000),
        (refusal(404).into(), "Refused", 1000),
        (refusal(406).into(), "Refused", 1000),
        (SessionError::Refused(refusal(403)).into(), "Refused", 1000),
        (SessionError::Lost(lost()).into(), "Closed", 1000),
        (SessionError::Unsupported("it").into(), "Transport", 1000),
        (unpublished(PublishErrorKind::Unroutable).into(), "Unroutable", 1000),
        (unpublished(PublishErrorKind::Nacked).into(), "Refused", 1000),
        (unpublished(PublishErrorKind::Ambiguous(lost())).into(), "Ambiguous", 1000),
        (unpublished(PublishErrorKind::NotSent(lost())).into(), "Closed", 1000),
        (ConsumerError::CancelledByBroker.into(), "Closed", 1000),
        (ConsumerError::Refused(refusal(406)).into(), "Refused", 1000),
        (Object::parse("[]").expect_err("no object").into(), "WrongParameters", 1000),
        ("a.b.c".parse::<EntryPoint>().expect_err("two dots").into(), "WrongEntryPointFormat", 1006),
        (ShortString::try_from("x".repeat(256)).expect_err("too long").into(), "UnsuitableFieldValue", 1002),
        (registry.register(Role::Service, "a.b", "e").expect_err("a dot").into(), "Build", 1000),
        (registry.find(Role::Service, "a").expect_err("nobody").into(), "UnableToDiscover", 1007),
        (Headers::new().insert("source", 1).expect_err("reserved").into(), "ForbiddenHeaders", 1029),
        (unread().into(), "FieldMustExist", 1001),
        (unread().error.into(), "FieldMustExist", 1001),
    ];
    let documented = include_str!("../../src/docs/wire.md");
    for (failure, class, code) in table {
        let expected = (format!("tavrida.exceptions.{class}"), code);
        assert_eq!((failure.class().to_owned(), failure.code()), expected, "{failure}");
        let row = documented.lines().find(|line| line.contains(&format!("`{class}`")));
        let row = row.unwrap_or_else(|| panic!("{class} is in no row of the chapter on the wire format"));
        assert!(row.starts_with('|') && row.contains(&code.to_string()), "{row}");
    }
}

#[test]
fn an_error_of_another_crate_has_the_path_of_its_type() {
    let foreign = Failure::from("x".parse::<i64>().expect_err("no number"));
    assert_eq!((foreign.class(), foreign.code()), ("core.num.error.ParseIntError", 1000));
}
