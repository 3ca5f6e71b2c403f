//! A shop's RabbitMQ as exported ([`definitions.json`](../definitions.json)), and its next version (`next.json`): three properties, two of
//! which fail; the changes of the next version; and six problems.

use std::path::Path;

use proptest::test_runner::{Config, TestCaseError, TestError, TestRng, TestRunner};
use tavrida_routing::{Code, Definitions, DefinitionsError, Diff, Lint, Message, Report, Topology, strategy};

/// The current topology.
pub fn now() -> Result<Definitions, DefinitionsError> {
    Definitions::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("definitions.json"))
}

/// The next topology.
pub fn next() -> Result<Definitions, DefinitionsError> {
    Definitions::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("next.json"))
}

fn host<'d>(definitions: &'d Definitions, name: &str) -> &'d Topology {
    definitions.topology(name).expect("the file has this virtual host")
}

/// Claims about virtual host `shop`, each with the smallest message that disproves it.
pub fn properties(definitions: &Definitions) -> Vec<(&'static str, Option<String>)> {
    let shop = host(definitions, "shop");
    vec![
        (
            "what is created is counted",
            failing(shop, |message, queues| {
                !(message.exchange == "orders" && message.key.ends_with(".created"))
                    || queues.contains(&"statistics")
            }),
        ),
        (
            "what changes a customer is audited",
            failing(shop, |_, queues| !queues.contains(&"customers") || queues.contains(&"audit")),
        ),
        (
            "each payment is logged, and goes to billing or to fraud",
            failing(shop, |message, queues| {
                !queues.contains(&"payments.log")
                    || queues.contains(&"billing")
                    || queues.contains(&"fraud")
                    || message.exchange != "payments"
            }),
        ),
    ]
}

/// Returns the smallest message for which a claim about its queues does not hold, explained.
fn failing(topology: &Topology, claim: impl Fn(&Message, &[&str]) -> bool) -> Option<String> {
    let config = Config { cases: 2000, failure_persistence: None, ..Config::default() };
    // The same messages in each run.
    let mut runner =
        TestRunner::new_with_rng(config.clone(), TestRng::deterministic_rng(config.rng_algorithm));
    let outcome = runner.run(&strategy::message(topology), |message| {
        let routing = topology.route(&message)?;
        let queues: Vec<&str> = routing.queues().collect();
        if claim(&message, &queues) { Ok(()) } else { Err(TestCaseError::fail("the claim does not hold")) }
    });
    match outcome {
        Err(TestError::Fail(_, message)) => topology.route(&message).ok().map(|routing| routing.to_string()),
        _ => None,
    }
}

/// Returns the changes in a virtual host.
pub fn diff(before: &Definitions, after: &Definitions, virtual_host: &str) -> Diff {
    host(before, virtual_host).diff(host(after, virtual_host))
}

/// Returns the problems in virtual host `shop`.
pub fn lint(definitions: &Definitions) -> Report {
    Lint::new()
        .topology(host(definitions, "shop"))
        .allow(Code::NoAlternate, "exchange 'orders.eu'", "only 'orders' leads to it")
        .run()
}
