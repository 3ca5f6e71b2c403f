//! Probable problems of a topology.

use crate::decide::Decided;
use crate::lint::code::Code;
use crate::lint::report::Finding;
use crate::message::Message;
use crate::topology::{Exchange, Queue, QueueType, Topology};

pub(super) fn check(topology: &Topology, findings: &mut Vec<Finding>) {
    for exchange in topology.exchanges().filter(|exchange| !exchange.name.starts_with("amq.")) {
        check_exchange(topology, exchange, findings);
    }
    let lost = topology.lost_letters();
    for queue in topology.queues() {
        check_queue(topology, queue, lost.get(queue.name.as_str()), findings);
    }
    let dead = topology.dead_bindings();
    note_cuts(&dead, findings);
    for dead in &dead.found {
        findings.push(Finding::new(
            Code::DeadBinding,
            format!("binding {}", dead.binding),
            &dead.cause,
            "remove it",
        ));
    }
    let unused = topology.unused_alternates();
    note_cuts(&unused, findings);
    // A policy for all exchanges sets alternates that some of them do not need.
    let is_own =
        |name: &&str| topology.exchange(name).is_some_and(|own| own.arguments.contains("alternate-exchange"));
    for name in unused.found.into_iter().filter(is_own) {
        let reason = "a binding matches every message";
        let fix = "remove the alternate, or the binding that takes all";
        findings.push(Finding::new(Code::AlternateUnused, place_of_exchange(name), reason, fix));
    }
    let loops = topology.dead_letter_loops();
    note_cuts(&loops, findings);
    for cycle in &loops.found {
        let fix = if cycle.automatic {
            "let the last queue dead-letter to one that keeps: a node drops what comes round"
        } else {
            "count the deaths in the consumer, or set a delivery limit, so that it ends"
        };
        let place = format!("queue '{}'", cycle.queues.first().map_or("", String::as_str));
        findings.push(Finding::new(Code::DeadLetterLoop, place, cycle, fix));
    }
    let unreachable = topology.unreachable_queues();
    note_cuts(&unreachable, findings);
    for name in unreachable.found {
        let reason = "no binding and no dead letter leads into it, only its name by the default exchange";
        findings.push(Finding::new(
            Code::UnreachableQueue,
            format!("queue '{name}'"),
            reason,
            "bind it, or remove it",
        ));
    }
}

fn place_of_exchange(name: &str) -> String {
    format!("exchange '{name}'")
}

fn note_cuts<T>(decided: &Decided<T>, findings: &mut Vec<Finding>) {
    for cut in &decided.cuts {
        let fix = "simplify the patterns with several '#' between '*', or raise the limits in code";
        findings.push(Finding::new(Code::Incomplete, place_of_exchange(&cut.exchange), &cut.limit, fix));
    }
}

fn check_exchange(topology: &Topology, exchange: &Exchange, findings: &mut Vec<Finding>) {
    let name = exchange.name.as_str();
    let mut push = |code, reason: String, fix: &str| {
        findings.push(Finding::new(code, place_of_exchange(name), reason, fix))
    };
    let alternate = exchange.alternate();
    let has_alternate = alternate.is_some_and(|name| topology.exchange(name).is_some());
    if let Some(alternate) = alternate.filter(|_| !has_alternate) {
        let reason = match alternate {
            "" => "the default exchange as an alternate routes nothing".to_owned(),
            _ => format!("its alternate exchange '{alternate}' does not exist"),
        };
        push(Code::AlternateMissing, reason, "declare it; until then what matches no binding is lost");
    }
    let has_bindings = topology.bindings_from(name).next().is_some();
    if !has_bindings && !has_alternate {
        push(
            Code::ExchangeWithoutBindings,
            "it has no bindings".to_owned(),
            "bind a queue to it, or remove it",
        );
        return;
    }
    if exchange.internal {
        return;
    }
    let swallowed = topology.swallowed(name);
    if let Some(message) = &swallowed.found {
        let reason = format!(
            "{message} matches a binding to an exchange that leads nowhere, and so the alternate does not take it"
        );
        push(Code::Swallowed, reason, "give the inner exchange an alternate too");
    } else if let Some(message) =
        topology.unroutable(name).found.filter(|_| alternate.is_none() || has_alternate)
    {
        let reason = format!("{message} reaches no queue");
        push(Code::NoAlternate, reason, "set an alternate exchange, or publish as mandatory");
    }
}

fn check_queue(topology: &Topology, queue: &Queue, lost: Option<&Message>, findings: &mut Vec<Finding>) {
    let mut push = |code, reason: String, fix: &str| {
        findings.push(Finding::new(code, format!("queue '{}'", queue.name), reason, fix));
    };
    match (queue.dead_letter_exchange(), queue.dead_letter_routing_key()) {
        (None, _) => {}
        (Some(""), Some(key)) if topology.queue(key).is_none() => {
            let reason = format!("its dead letters go to queue '{key}', which does not exist");
            push(Code::DeadLetterLost, reason, "declare the queue");
        }
        (Some(""), _) => {}
        (Some(exchange), _) if topology.exchange(exchange).is_none() => {
            let reason = format!("its dead-letter exchange '{exchange}' does not exist");
            push(Code::DeadLetterMissing, reason, "declare it; until then dead letters are dropped");
        }
        (Some(exchange), _) => {
            if let Some(lost) = lost {
                let reason = format!("its dead letter {lost} reaches no queue");
                push(Code::DeadLetterLost, reason, &format!("bind a queue to exchange '{exchange}' for it"));
            }
        }
    }
    let limits = ["max-length", "max-length-bytes", "message-ttl", "expires", "max-age"];
    if !queue.exclusive && !limits.iter().any(|limit| queue.setting(limit).is_some()) {
        let fix = "set a length limit with a dead-letter exchange, or watch its length";
        push(Code::UnboundedQueue, "it has neither a length limit nor a time to live".to_owned(), fix);
    }
    if queue.queue_type() == QueueType::Classic && queue.durable && !queue.auto_delete {
        push(
            Code::ClassicQueue,
            "it is lost with its node".to_owned(),
            "in a cluster, make it a quorum queue",
        );
    }
}
