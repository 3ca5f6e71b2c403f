//! Probable problems of a graph of services.

use std::collections::{BTreeMap, BTreeSet};

use crate::lint::code::Code;
use crate::lint::report::Finding;
use crate::message::Message;
use crate::services::{Service, Services, split, takes};
use crate::topology::{Binding, Destination, ExchangeType, Topology};

pub(super) fn check(services: &Services, topology: Option<&Topology>, findings: &mut Vec<Finding>) {
    for service in services.iter() {
        check_calls(services, service, findings);
        check_events(services, service, findings);
        if let Some(topology) = topology {
            check_answers(service, topology, findings);
        }
    }
    check_ask_cycles(services, findings);
    if let Some(topology) = topology {
        check_consumers(services, topology, findings);
        check_patterns(services, topology, findings);
    }
}

fn place(service: &Service) -> String {
    format!("service '{}'", service.name)
}

fn check_calls(services: &Services, service: &Service, findings: &mut Vec<Finding>) {
    let mut push =
        |code, reason: String, fix: &str| findings.push(Finding::new(code, place(service), reason, fix));
    for target in service.targets() {
        let (name, method) = split(target);
        match services.get(name) {
            None => push(
                Code::UnknownService,
                format!("it calls '{target}', and there is no service '{name}'"),
                "add the service to the graph",
            ),
            Some(called) if !called.methods.contains(method) => {
                let known: Vec<&str> = called.methods.iter().map(String::as_str).collect();
                let reason = format!("it calls '{target}', and '{name}' answers {}", list(&known));
                push(Code::UnknownMethod, reason, "correct the name, or add a handler");
            }
            Some(_) => {}
        }
    }
    for call in &service.calls {
        if !service.on_response.contains(call) {
            push(
                Code::UnhandledAnswer,
                format!("it calls '{call}' and has no handler for the answer"),
                "add one, or send it as a cast",
            );
        }
        if !service.on_error.contains(call) {
            push(
                Code::UnhandledError,
                format!("it calls '{call}' and has no handler for the error"),
                "add one",
            );
        }
    }
}

fn check_events(services: &Services, service: &Service, findings: &mut Vec<Finding>) {
    for event in &service.events {
        if !services.iter().any(|other| other.subscriptions.iter().any(|topic| takes(topic, event))) {
            let reason = format!("it publishes '{event}', and no service subscribes to it");
            findings.push(Finding::new(
                Code::EventWithoutSubscriber,
                place(service),
                reason,
                "remove the event, or add a subscriber",
            ));
        }
    }
    for topic in &service.subscriptions {
        if !services.iter().any(|other| other.events.iter().any(|event| takes(topic, event))) {
            let reason = format!("it subscribes to '{topic}', and no service publishes it");
            findings.push(Finding::new(
                Code::SubscriptionWithoutPublisher,
                place(service),
                reason,
                "correct the name",
            ));
        }
    }
}

/// Answers come to the exchange of the caller, with its name as the first word of the key.
fn check_answers(service: &Service, topology: &Topology, findings: &mut Vec<Finding>) {
    let (Some(queue), Some(exchange)) = (&service.queue, &service.exchange) else { return };
    if service.calls.is_empty() {
        return;
    }
    let message = Message::new(exchange, &service.name);
    let why = match topology.route(&message) {
        Err(refusal) => refusal.to_string(),
        Ok(routing) => match routing.why_not(queue) {
            None => return,
            Some(why) => why.to_string(),
        },
    };
    let reason = format!("answers to its calls ({message}) do not reach queue '{queue}': {why}");
    let fix = format!("bind the queue with '{}.#'", service.name);
    findings.push(Finding::new(Code::AnswerUnroutable, place(service), reason, fix));
}

/// Services that wait for each other: each cycle is reported once, at its first service.
fn check_ask_cycles(services: &Services, findings: &mut Vec<Finding>) {
    let asked = |service: &Service| -> BTreeSet<String> {
        service
            .asks
            .iter()
            .map(|target| split(target).0.to_owned())
            .filter(|name| services.get(name).is_some())
            .collect()
    };
    let edges: BTreeMap<&str, BTreeSet<String>> =
        services.iter().map(|service| (service.name.as_str(), asked(service))).collect();
    let edges: BTreeMap<&str, BTreeSet<&str>> =
        edges.iter().map(|(name, targets)| (*name, targets.iter().map(String::as_str).collect())).collect();
    for cycle in crate::decide::cycles(&edges) {
        let slots = |name: &String| {
            let concurrency = services.get(name).and_then(|service| service.concurrency);
            concurrency
                .map_or_else(|| format!("{name} (no limit)"), |slots| format!("{name} ({slots} at a time)"))
        };
        let way: Vec<String> = cycle.iter().map(slots).collect();
        let first = cycle.first().cloned().unwrap_or_default();
        let reason =
            format!("{} -> {first}: when all of them are busy, each waits for another", way.join(" -> "));
        let fix = "call instead of asking on one side, or split the service";
        findings.push(Finding::new(Code::AskCycle, format!("service '{first}'"), reason, fix));
    }
}

fn check_consumers(services: &Services, topology: &Topology, findings: &mut Vec<Finding>) {
    let consumed: BTreeSet<&str> = services.iter().filter_map(|service| service.queue.as_deref()).collect();
    if consumed.is_empty() {
        return;
    }
    for queue in topology.queues().filter(|queue| !consumed.contains(queue.name.as_str())) {
        // A queue whose messages are dead-lettered without a consumer is a waiting queue.
        let moves_on = queue.setting("message-ttl").is_some() && queue.dead_letter_exchange().is_some();
        if !moves_on {
            let reason = "no service consumes it";
            let fix = "remove it, or say in the allow-list who does";
            findings.push(Finding::new(
                Code::QueueWithoutConsumer,
                format!("queue '{}'", queue.name),
                reason,
                fix,
            ));
        }
    }
}

/// Bindings of an exchange of a service that match nothing of what is known to be published to it.
fn check_patterns(services: &Services, topology: &Topology, findings: &mut Vec<Finding>) {
    let mut published: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for service in services.iter() {
        let Some(exchange) = service.exchange.as_deref() else { continue };
        let keys = published.entry(exchange).or_default();
        keys.insert(service.name.clone());
        keys.extend(service.methods.iter().map(|method| format!("{}.{method}", service.name)));
        keys.extend(service.events.iter().cloned());
    }
    for (exchange, keys) in published {
        if topology.exchange(exchange).is_none_or(|exchange| exchange.kind == ExchangeType::Headers) {
            continue;
        }
        let routings = keys.iter().filter_map(|key| topology.route(&Message::new(exchange, key)).ok());
        let used: Vec<&Binding> =
            routings.flat_map(|routing| routing.bindings().collect::<Vec<_>>()).collect();
        for binding in topology.bindings_from(exchange) {
            if !used.contains(&binding) && matches!(binding.destination, Destination::Queue(_)) {
                let known: Vec<&str> = keys.iter().map(String::as_str).collect();
                let reason =
                    format!("it matches none of the keys that are published there: {}", list(&known));
                findings.push(Finding::new(
                    Code::PatternNeverMatches,
                    format!("binding {binding}"),
                    reason,
                    "correct the pattern",
                ));
            }
        }
    }
}

fn list(names: &[&str]) -> String {
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}
