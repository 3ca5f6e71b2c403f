//! Every pattern against every key, and every typed value against every other: routing in large batches.

use std::sync::Arc;

use tavrida::field::{Decimal, Table, Value};
use tavrida::transport::{Properties, Publication};
use tavrida_memory::core::{ExchangeDeclare, Method, QueueBind, QueueDeclare};
use tavrida_rabbitmq::say;

use crate::names::short;
use crate::program::{CONNECTIONS, Op, Program, Step};
use crate::run::{Site, Watch};

/// Declares a queue for each binding, and publishes a message for each key with headers; then compares all queues.
async fn agree(name: &str, kind: &str, bindings: &[(String, Table)], messages: &[(String, Option<Table>)]) {
    let mut program = Program::default();
    let mut call =
        |method| program.steps.push(Step { channel: CONNECTIONS[0].channel(1), op: Op::Call(method) });
    call(Method::ExchangeDeclare(ExchangeDeclare {
        exchange: short("x"),
        kind: short(kind),
        ..Default::default()
    }));
    for (number, (routing_key, arguments)) in bindings.iter().enumerate() {
        let queue = short(&format!("q{number}"));
        call(Method::QueueDeclare(QueueDeclare { queue: queue.clone(), ..Default::default() }));
        call(Method::QueueBind(QueueBind {
            queue,
            exchange: short("x"),
            routing_key: short(routing_key),
            arguments: arguments.clone(),
            nowait: false,
        }));
    }
    for (routing_key, headers) in messages {
        let properties = Properties { headers: headers.clone(), ..Default::default() };
        let publication = Publication {
            exchange: short("x"),
            routing_key: short(routing_key),
            mandatory: true,
            properties,
            body: "m".into(),
        };
        call(Method::BasicPublish { publication: Arc::new(publication), immediate: false });
    }
    let node = tavrida_rabbitmq::shared().await.expect("RabbitMQ is installed and starts");
    let site = Site::new(node, format!("table-{name}")).await;
    let operations = site.run(&program, Watch::AtTheEnd).await.agreed();
    assert_eq!(operations, program.steps.len());
    say(format_args!("{name}: {} bindings x {} messages agree", bindings.len(), messages.len()));
}

/// Returns all sequences of up to `longest` of these words, separated by dots; and the empty key.
fn sentences(words: &[&str], longest: u32) -> Vec<String> {
    let mut all = Vec::new();
    for length in 1..=longest {
        for mut number in 0..words.len().pow(length) {
            let mut picked = Vec::new();
            for _ in 0..length {
                picked.push(words[number % words.len()]);
                number /= words.len();
            }
            all.push(picked.join("."));
        }
    }
    all
}

#[tokio::test]
async fn topic_patterns_and_keys() {
    let mut patterns = sentences(&["a", "", "*", "#"], 3);
    patterns.extend(
        ["a.b", "#.b.#", "a#", "##", "**", "a.*.#.b", "#.a.#.b", "*.#.*.#", "é.*"].map(str::to_owned),
    );
    let mut keys = sentences(&["a", "b", ""], 3);
    keys.extend(["#", "*", "a.#", "*.a", "a#", "a.b.a.b", "a.a.a.a.a", "é.a", "A", "aa"].map(str::to_owned));
    let bindings: Vec<_> = patterns.into_iter().map(|pattern| (pattern, Table::new())).collect();
    let messages: Vec<_> = keys.into_iter().map(|key| (key, None)).collect();
    agree("topic", "topic", &bindings, &messages).await;
}

fn values() -> Vec<Value> {
    let one = |value: Value| Value::Array(vec![value]);
    let table = |value: Value| Value::Table(Table::new().with(short("k"), value));
    vec![
        Value::Void,
        Value::Bool(true),
        Value::Bool(false),
        Value::I8(1),
        Value::U8(1),
        Value::I16(1),
        Value::U16(1),
        Value::I32(1),
        Value::U32(1),
        Value::I64(1),
        Value::I64(-1),
        Value::U32(u32::MAX),
        Value::I32(0),
        Value::F64(0.0),
        Value::F64(-0.0),
        Value::F32(1.0),
        Value::F64(1.0),
        Value::F32(0.1),
        Value::F64(0.1),
        Value::F32(1.5),
        Value::F64(1.5),
        Value::I64((1 << 53) + 1),
        Value::F64(9_007_199_254_740_992.0),
        Value::Timestamp(1),
        Value::Timestamp(u64::MAX),
        Value::Decimal(Decimal { scale: 1, value: 10 }),
        Value::Decimal(Decimal { scale: 0, value: 1 }),
        Value::from("1"),
        Value::from("a"),
        Value::from("A"),
        Value::from(""),
        Value::Bytes("a".into()),
        Value::Bytes("".into()),
        Value::Array(Vec::new()),
        Value::Table(Table::new()),
        one(Value::I32(1)),
        one(Value::I64(1)),
        one(Value::F64(1.0)),
        one(Value::from("a")),
        one(Value::Bytes("a".into())),
        one(Value::Void),
        table(Value::I32(1)),
        table(Value::I64(1)),
        table(one(Value::I32(1))),
        Value::Array(vec![Value::I32(1), Value::from("a")]),
        Value::Array(vec![Value::from("a"), Value::I32(1)]),
    ]
}

#[tokio::test]
async fn headers_of_all_types() {
    let bindings: Vec<_> =
        values().into_iter().map(|value| (String::new(), Table::new().with(short("a"), value))).collect();
    let messages: Vec<_> = values()
        .into_iter()
        .map(|value| (String::new(), Some(Table::new().with(short("a"), value))))
        .collect();
    agree("values", "headers", &bindings, &messages).await;
}

/// Returns all tables with some of these entries.
fn subsets(entries: &[(&str, Value)]) -> Vec<Table> {
    let pick = |chosen: usize| {
        let picked = entries.iter().enumerate().filter(move |(place, _)| chosen >> place & 1 == 1);
        picked.map(|(_, (name, value))| (short(name), value.clone())).collect()
    };
    (0..1_usize << entries.len()).map(pick).collect()
}

#[tokio::test]
async fn headers_of_all_forms_of_match() {
    let entries = [
        ("a", Value::I32(1)),
        ("b", Value::Void),
        ("x-c", Value::from("c")),
        ("x", Value::Bool(true)),
        ("X-d", Value::I32(2)),
    ];
    let mut bindings = Vec::new();
    for form in [None, Some("all"), Some("any"), Some("all-with-x"), Some("any-with-x")] {
        for mut arguments in subsets(&entries) {
            if let Some(form) = form {
                arguments.insert(short("x-match"), form);
            }
            bindings.push((String::new(), arguments));
        }
    }
    let mut messages: Vec<_> =
        subsets(&entries).into_iter().map(|headers| (String::new(), Some(headers))).collect();
    messages.push((String::new(), None));
    messages.push((
        String::new(),
        Some(Table::new().with(short("b"), 5).with(short("a"), 2).with(short("x-c"), "c")),
    ));
    agree("match", "headers", &bindings, &messages).await;
}
