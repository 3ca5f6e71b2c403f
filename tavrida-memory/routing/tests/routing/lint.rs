//! The lint: each finding has a topology that has it, and one that does not.

use std::collections::BTreeSet;

use tavrida_routing::{Binding, Code, Exchange, Lint, Queue, Report, Service, Services, Severity, Topology};

fn codes(report: &Report) -> Vec<&str> {
    report.findings().iter().map(|finding| finding.code.as_str()).collect()
}

/// A topology without findings.
fn clean() -> Topology {
    Topology::builder()
        .exchange(Exchange::topic("orders").alternate_exchange("unrouted"))
        .exchange(Exchange::fanout("unrouted"))
        .queue(Queue::quorum("billing").max_length(1000).dead_letter("", "dead"))
        .queue(Queue::quorum("dead").max_length(1000))
        .bind_queue("billing", "orders", "order.*.paid")
        .bind_queue("dead", "unrouted", "")
        .build()
        .unwrap()
}

#[test]
fn a_good_topology_has_no_findings() {
    assert_eq!(codes(&clean().lint()), Vec::<&str>::new());
}

#[test]
fn each_thing_that_is_wrong_in_a_topology_is_found() {
    let declared = |exchange: Option<Exchange>, queue: Queue| {
        let mut topology = clean();
        exchange.into_iter().for_each(|exchange| topology.declare_exchange(exchange).unwrap());
        topology.declare_queue(queue).unwrap();
        topology
    };
    let found = |topology: &Topology, code: Code| {
        let report = topology.lint();
        let texts: Vec<String> =
            report.of(code).map(|finding| format!("{}: {}", finding.place, finding.reason)).collect();
        assert_eq!(texts.len(), 1, "{code}: {report}");
        texts[0].clone()
    };
    let quorum = |name| Queue::quorum(name).max_length(10);

    let topology = declared(None, quorum("q").dead_letter_to("none"));
    assert_eq!(
        found(&topology, Code::DeadLetterMissing),
        "queue 'q': its dead-letter exchange 'none' does not exist"
    );
    assert_eq!(
        found(&topology, Code::UnreachableQueue),
        "queue 'q': no binding and no dead letter leads into it, only its name by the default exchange"
    );

    let topology = declared(None, quorum("q").dead_letter("orders", "order.dead"));
    assert_eq!(codes(&topology.lint()), ["unreachable-queue"], "the alternate takes the dead letter");
    let topology = declared(Some(Exchange::direct("dlx")), quorum("q").dead_letter("dlx", "q"));
    assert_eq!(
        found(&topology, Code::DeadLetterLost),
        "queue 'q': its dead letter 'q' to 'dlx' reaches no queue"
    );
    assert_eq!(found(&topology, Code::ExchangeWithoutBindings), "exchange 'dlx': it has no bindings");
    let topology = declared(None, quorum("q").dead_letter("", "gone"));
    assert_eq!(
        found(&topology, Code::DeadLetterLost),
        "queue 'q': its dead letters go to queue 'gone', which does not exist"
    );

    let topology = declared(None, quorum("q").dead_letter("", "q"));
    assert_eq!(found(&topology, Code::DeadLetterLoop), "queue 'q': q -> q (dropped after one turn)");
    let topology = declared(Some(Exchange::topic("x").alternate_exchange("none")), quorum("q"));
    assert_eq!(
        found(&topology, Code::AlternateMissing),
        "exchange 'x': its alternate exchange 'none' does not exist"
    );
    let topology = declared(None, Queue::new("q"));
    assert_eq!(
        found(&topology, Code::UnboundedQueue),
        "queue 'q': it has neither a length limit nor a time to live"
    );
    assert_eq!(found(&topology, Code::ClassicQueue), "queue 'q': it is lost with its node");

    let mut topology = clean();
    topology.bind(Binding::queue("billing", "orders", "#")).unwrap();
    assert_eq!(found(&topology, Code::AlternateUnused), "exchange 'orders': a binding matches every message");
    assert!(found(&topology, Code::DeadBinding).contains("order.*.paid"));
    let mut topology = clean();
    topology.declare_exchange(Exchange::topic("eu")).unwrap();
    topology.bind(Binding::exchange("eu", "orders", "eu")).unwrap();
    topology.bind(Binding::queue("billing", "eu", "eu.*")).unwrap();
    assert!(
        found(&topology, Code::Swallowed)
            .starts_with("exchange 'orders': 'eu' to 'orders' matches a binding")
    );
    let report = topology.lint();
    let reason = &report.of(Code::NoAlternate).next().unwrap().reason;
    assert_eq!(reason, "'' to 'eu' reaches no queue");
}

#[test]
fn a_subscription_with_a_wildcard_takes_the_events_that_its_binding_brings() {
    let linted = |event: &str, topics: &str| {
        let orders = Service::new("orders").publishes(event);
        let audit = Service::new("audit").subscribes(topics);
        Lint::new().services(&Services::new().service(orders).service(audit)).run().findings().len()
    };
    for (event, topics) in [
        ("orders.created", "orders.*"),
        ("orders.created", "orders.#"),
        ("orders.*", "orders.created"),
        ("orders.*", "orders.*"),
        ("orders", "orders.#"),
    ] {
        assert_eq!(linted(event, topics), 0, "{topics} takes {event}");
    }
    for (event, topics) in
        [("orders.created", "stock.*"), ("orders", "orders.*"), ("orders.created", "orders.create")]
    {
        assert_eq!(linted(event, topics), 2, "{topics} does not take {event}");
    }
}

#[test]
fn each_thing_that_is_wrong_in_a_graph_of_services_is_found() {
    let services = Services::new()
        .service(
            Service::new("orders")
                .on("orders", "orders")
                .concurrency(1)
                .answers("create")
                .asks("billing.charge")
                .calls("stock.take")
                .publishes("orders.created"),
        )
        .service(
            Service::new("billing")
                .answers("charge")
                .answers("refund")
                .asks("orders.create")
                .asks("orders.cancel"),
        )
        .service(Service::new("mail").subscribes("order.created"));
    let topology = clean();
    let report = Lint::new().topology(&topology).services(&services).run();
    let found: Vec<String> = report.findings().iter().map(ToString::to_string).collect();
    let has = |text: &str| {
        assert!(found.iter().any(|finding| finding.contains(text)), "{text} is not in\n{report}")
    };
    has("error[unknown-service] service 'orders': it calls 'stock.take', and there is no service 'stock'");
    has("error[unknown-method] service 'billing': it calls 'orders.cancel', and 'orders' answers create");
    has(
        "warning[unhandled-answer] service 'orders': it calls 'stock.take' and has no handler for the answer",
    );
    has("warning[unhandled-error] service 'orders': it calls 'stock.take' and has no handler for the error");
    has("warning[event-without-subscriber] service 'orders': it publishes 'orders.created'");
    has("warning[subscription-without-publisher] service 'mail': it subscribes to 'order.created'");
    has(
        "error[answer-unroutable] service 'orders': answers to its calls ('orders' to 'orders') do not reach queue 'orders'",
    );
    has("warning[ask-cycle] service 'billing': billing (no limit) -> orders (1 at a time) -> billing");
    has("warning[queue-without-consumer] queue 'billing': no service consumes it");
    has(
        "warning[pattern-never-matches] binding orders --'order.*.paid'--> queue 'billing': it matches none of the keys that are published there: orders, orders.create, orders.created",
    );
}

/// The texts of the other tests say what each finding means; here none is forgotten.
#[test]
fn every_code_is_found_somewhere() {
    let mut found: BTreeSet<Code> = BTreeSet::new();
    let mut look = |lint: Lint<'_>| found.extend(lint.run().findings().iter().map(|finding| finding.code));

    let faulty = Topology::builder()
        .exchange(Exchange::topic("orders").alternate_exchange("all"))
        .exchange(Exchange::topic("inner"))
        .exchange(Exchange::fanout("all"))
        .exchange(Exchange::topic("empty"))
        .exchange(Exchange::topic("half").alternate_exchange("gone"))
        .exchange(Exchange::topic("open"))
        .queue(Queue::new("lone").dead_letter("", "lone"))
        .queue(Queue::quorum("lost").dead_letter("", "gone"))
        .queue(Queue::quorum("missing").dead_letter_to("gone"))
        .queue(Queue::quorum("audit").max_length(5))
        .bind_exchange("inner", "orders", "inner.#")
        .bind_exchange("all", "orders", "all.#")
        .bind_queue("audit", "inner", "inner.a")
        .bind_queue("audit", "all", "")
        .bind_queue("audit", "open", "a")
        .bind_queue("audit", "open", "a")
        .bind_queue("audit", "half", "a.#")
        .bind_queue("audit", "half", "a.b")
        .build()
        .unwrap();
    look(Lint::new().topology(&faulty).allow(Code::DeadBinding, "binding of nothing", "a test"));
    let mut all = clean();
    all.bind(Binding::queue("billing", "orders", "#")).unwrap();
    look(Lint::new().topology(&all));
    let mut wide = Topology::builder().exchange(Exchange::topic("x")).queue(Queue::new("q"));
    for word in ["a", "b", "c", "d"] {
        wide = wide.bind_queue("q", "x", &format!("#.{word}{}", ".*".repeat(60)));
    }
    look(Lint::new().topology(&wide.build().unwrap()));
    let other = Topology::builder().queue(Queue::new("billing")).build().unwrap();
    look(Lint::new().topology(&clean()).beside("another server", &other));
    let services = Services::new()
        .service(
            Service::new("orders")
                .on("orders", "orders")
                .answers("create")
                .asks("billing.charge")
                .calls("stock.take")
                .publishes("orders.created"),
        )
        .service(Service::new("billing").answers("charge").asks("orders.create").asks("orders.cancel"))
        .service(Service::new("mail").subscribes("order.created"));
    look(Lint::new().topology(&clean()).services(&services));

    let missing: Vec<&Code> = Code::ALL.iter().filter(|code| !found.contains(code)).collect();
    assert!(missing.is_empty(), "no topology has {missing:?}");
}

#[test]
fn declarations_that_clash_are_found() {
    let other = Topology::builder().queue(Queue::new("billing")).build().unwrap();
    let topology = clean();
    let report = Lint::new().topology(&topology).beside("the new server", &other).run();
    assert_eq!(report.findings()[0].code, Code::DeclarationClash);
    assert!(
        report.findings()[0]
            .reason
            .starts_with("406 PRECONDITION_FAILED - inequivalent arg 'x-dead-letter-exchange'"),
        "{report}"
    );
}

#[test]
fn an_allowed_finding_keeps_its_reason_and_one_that_is_missing_is_reported() {
    let mut topology = clean();
    topology.declare_queue(Queue::new("audit").max_length(5)).unwrap();
    let report = Lint::new()
        .topology(&topology)
        .allow(Code::UnreachableQueue, "queue 'audit'", "filled by a shovel")
        .allow(Code::ClassicQueue, "queue 'audit'", "one node is enough")
        .allow(Code::ClassicQueue, "queue 'gone'", "one node is enough")
        .run();
    assert_eq!(codes(&report), ["unused-allow"]);
    assert_eq!(report.allowed().len(), 2);
    report.assert_none(Severity::Error);

    let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    assert_eq!(json[0]["code"], "unused-allow");
    assert_eq!(json[1]["allowed"], "filled by a shovel");
    let sarif: serde_json::Value = serde_json::from_str(&report.to_sarif("definitions.json")).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), 3);
    assert_eq!(results[0]["level"], "warning");
    assert_eq!(results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "definitions.json");
    assert_eq!(results[1]["suppressions"][0]["justification"], "filled by a shovel");
    let rules = sarif["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
    assert!(results.iter().all(|result| rules.iter().any(|rule| rule["id"] == result["ruleId"])));
}
