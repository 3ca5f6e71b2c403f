//! Coverage of random programs: a suite that compares nothing finds nothing.

use std::collections::{BTreeMap, BTreeSet};

use tavrida_memory::core::{Arrival, Method, MethodReply, Operator, RabbitMq};

use crate::action::Action;
use crate::heard::{Report, Said};
use crate::run::predict;
use crate::world::Prediction;
use crate::{generate, random};

/// Counts the kinds of things done and received in some programs for a version.
fn count(version: RabbitMq, programs: u64) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for number in 0..programs {
        let program = generate::program(version, 1, number, random::LENGTH);
        let mut consumed = BTreeMap::<_, BTreeSet<_>>::new();
        for prediction in predict(version, "/", &program).0 {
            let mut kinds = kinds(&prediction);
            if let Action::Call(Method::BasicConsume(consume)) = &prediction.action {
                let queues = consumed.entry(prediction.channel).or_default();
                queues.insert(consume.queue.clone());
                kinds.extend((queues.len() > 1).then(|| "consume of a second queue".to_owned()));
            }
            for kind in kinds {
                *counts.entry(kind).or_default() += 1;
            }
        }
    }
    counts
}

fn kinds(prediction: &Prediction) -> Vec<String> {
    let mut kinds = heard(&prediction.report);
    match &prediction.action {
        Action::Call(Method::QueueDeclare(declare)) => {
            kinds.extend(declare.arguments.iter().map(|(name, _)| format!("argument {name}")));
        }
        Action::Call(Method::BasicPublish { publication, .. }) => {
            let forged = publication.properties.headers().contains("x-death");
            kinds.extend(forged.then(|| "forged history".to_owned()));
        }
        Action::Call(Method::BasicQos { global: true, prefetch_count: 1.., .. }) => {
            kinds.push("shared limit".to_owned());
        }
        Action::Abort => kinds.push("abort".to_owned()),
        Action::Operate(Operator::Unblock) => kinds.push("end of an alarm".to_owned()),
        Action::Operate(Operator::Block { .. }) => {}
        Action::Operate(_) => kinds.push("policy".to_owned()),
        Action::Wait(_) => kinds.push("time passes".to_owned()),
        Action::Together(calls) => {
            let alone = calls.iter().all(|(channel, _)| *channel == prediction.channel);
            kinds.push(if alone { "pipeline" } else { "simultaneous calls" }.to_owned());
        }
        _ => {}
    }
    kinds
}

fn heard(report: &Report) -> Vec<String> {
    let mut kinds = Vec::new();
    for (channel, heard) in &report.0 {
        for said in &heard.said {
            kinds.push(match said {
                Said::Closed(reason) if channel.number == 0 => format!("connection closed {}", reason.code),
                Said::Closed(reason) => format!("channel closed {}", reason.code),
                Said::Return { .. } => "return".to_owned(),
                Said::Confirm { ack, .. } => if *ack { "confirm" } else { "refusal" }.to_owned(),
                Said::Reply(MethodReply::BasicGetOk(got)) if got.redelivered => "get redelivered".to_owned(),
                Said::Reply(MethodReply::BasicGetOk(_)) => "get".to_owned(),
                Said::Blocked(_) => "held by an alarm".to_owned(),
                Said::Reply(_) | Said::ConnectionCloseOk | Said::Unblocked => continue,
            });
        }
        for arrival in &heard.arrived {
            match arrival {
                Arrival::Cancel { .. } => kinds.push("cancel".to_owned()),
                Arrival::Delivery(delivered) => {
                    let headers = delivered.publication.properties.headers();
                    kinds.push(if delivered.redelivered { "redelivery" } else { "delivery" }.to_owned());
                    kinds.extend(headers.contains("x-death").then(|| "delivery of a dead letter".to_owned()));
                    kinds.extend(headers.contains("x-delivery-count").then(|| "quorum delivery".to_owned()));
                    kinds.extend(
                        delivered.publication.routing_key.starts_with('$').then(|| "reply".to_owned()),
                    );
                }
            }
        }
    }
    kinds
}

#[test]
fn random_programs_reach_everything() {
    for version in [RabbitMq::V3_10, RabbitMq::V4_0] {
        reach_everything(version);
    }
}

fn reach_everything(version: RabbitMq) {
    let counts = count(version, 300);
    // An unknown type of an exchange closes the connection on 3.10, and the channel (406) on 4.0.
    let unknown_types = usize::from(version == RabbitMq::V3_10);
    for (kind, least) in [
        ("delivery", 600),
        ("redelivery", 150),
        ("delivery of a dead letter", 30),
        ("quorum delivery", 20),
        ("forged history", 50),
        ("consume of a second queue", 100),
        ("shared limit", 30),
        ("held by an alarm", 30),
        ("end of an alarm", 30),
        ("abort", 30),
        ("policy", 15),
        ("time passes", 10),
        ("pipeline", 100),
        ("simultaneous calls", 100),
        ("reply", 1),
        ("cancel", 10),
        ("get", 300),
        ("get redelivered", 100),
        ("confirm", 1500),
        ("refusal", 20),
        ("return", 300),
        ("channel closed 403", 50),
        ("channel closed 404", 100),
        ("channel closed 405", 10),
        ("channel closed 406", 100),
        ("connection closed 503", unknown_types),
        ("connection closed 504", 3),
        ("connection closed 530", 1),
        ("connection closed 540", 5),
        ("argument x-max-length", 50),
        ("argument x-max-priority", 30),
        ("argument x-dead-letter-exchange", 50),
        ("argument x-single-active-consumer", 20),
        ("argument x-overflow", 30),
        ("argument x-message-ttl", 5),
        ("argument x-queue-type", 20),
    ] {
        let count = counts.get(kind).copied().unwrap_or(0);
        assert!(count >= least, "{version}, {kind}: {count} in 300 programs; all: {counts:#?}");
    }
}
