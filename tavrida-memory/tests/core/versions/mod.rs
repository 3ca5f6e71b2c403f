//! Where versions differ: each test shows a rule on both sides, 3.10 and 4.0.

mod dead_letters;
mod declaring;
mod later;
mod messages;
mod quorum;

use tavrida::field::{Table, Value};
use tavrida_memory::core::{ChannelId, Got, RabbitMq};

use crate::rig::*;

/// Returns what a check finds on 3.10, and on 4.0.
fn both<T>(check: impl Fn(&mut Rig, ChannelId) -> T) -> [T; 2] {
    [RabbitMq::V3_10, RabbitMq::V4_0].map(|version| {
        let (mut rig, ch) = Rig::like(version);
        check(&mut rig, ch)
    })
}

/// Code and text with which a method closes the channel or the connection.
fn refusal(rig: &mut Rig, ch: ChannelId, method: tavrida_memory::core::Method) -> Option<(u16, String)> {
    match rig.call(ch, method) {
        Answer::ChannelClosed(reason) => {
            rig.reopen(ch);
            Some((reason.code, reason.text))
        }
        Answer::ConnectionClosed(reason) => Some((reason.code, reason.text)),
        Answer::Reply(_) | Answer::Nothing => None,
    }
}

fn code(refusal: Option<(u16, String)>) -> Option<u16> {
    refusal.map(|(code, _)| code)
}

fn names(table: &Table) -> Vec<String> {
    table.iter().map(|(name, _)| name.to_string()).collect()
}

fn headers(got: &Got) -> Table {
    got.publication.properties.headers().clone()
}

fn text(table: &Table, name: &str) -> Option<String> {
    table.get(name).and_then(Value::as_str).map(str::to_owned)
}

/// The entries of `x-death`.
fn deaths(headers: &Table) -> Vec<Table> {
    match headers.get("x-death") {
        Some(Value::Array(deaths)) => deaths
            .iter()
            .map(|death| match death {
                Value::Table(entry) => entry.clone(),
                other => panic!("{other:?} is no entry"),
            })
            .collect(),
        other => panic!("x-death is {other:?}"),
    }
}

/// A durable queue with these arguments, the type among them.
fn declare(rig: &mut Rig, ch: ChannelId, name: &str, arguments: &[(&str, Value)]) {
    rig.declare(ch, durable(name, arguments));
}

fn durable(name: &str, arguments: &[(&str, Value)]) -> tavrida_memory::core::QueueDeclare {
    tavrida_memory::core::QueueDeclare {
        queue: short(name),
        durable: true,
        arguments: table(arguments),
        ..Default::default()
    }
}

fn quorum(more: &[(&'static str, Value)]) -> Vec<(&'static str, Value)> {
    let mut all = vec![("x-queue-type", "quorum".into())];
    all.extend(more.iter().cloned());
    all
}
