//! Tables of expected routes, and coverage.

use proptest::prelude::*;
use tavrida_routing::{Binding, Coverage, Exchange, Message, Queue, RoutingTable, Topology, Value, strategy};

fn shop() -> Topology {
    Topology::builder()
        .exchange(Exchange::topic("orders"))
        .exchange(Exchange::headers("documents"))
        .queue(Queue::new("billing"))
        .queue(Queue::new("audit"))
        .queue(Queue::new("print, colour"))
        .bind_queue("billing", "orders", "order.*.paid")
        .bind_queue("audit", "orders", "order.#")
        .bind(
            Binding::queue("print, colour", "documents", "")
                .argument("x-match", "all")
                .argument("type", "pdf")
                .argument("pages", 3),
        )
        .build()
        .unwrap()
}

const MARKDOWN: &str = r#"
Where orders go.

| exchange  | key          | headers              | queues           |
|-----------|:-------------|----------------------|------------------|
| orders    | `order.7.paid` |                    | billing, audit   |
| orders    | invoice      |                      | -                |
| documents |              | type=pdf, pages=3    | "print, colour"  |
| documents |              | type="pdf", pages="3" |                 |
|           | audit        |                      | audit            |
"#;

#[test]
fn a_table_that_holds_is_silent() {
    let table = RoutingTable::parse_markdown(MARKDOWN).unwrap();
    assert_eq!(table.len(), 5);
    table.check(&shop()).unwrap();
    let csv = "queues,exchange,key\n\"billing, audit\",orders,order.7.paid\n,orders,invoice\n";
    RoutingTable::parse_csv(csv).unwrap().check(&shop()).unwrap();
    let code = RoutingTable::new().row(Message::new("orders", "order"), ["audit"]);
    code.check(&shop()).unwrap();
}

#[test]
fn a_table_that_fails_says_which_binding_at_which_word() {
    let table = "| exchange | key | queues |\n| orders | order.7.placed | billing |\n| none | | |\n";
    let mismatch = RoutingTable::parse_markdown(table).unwrap().check(&shop()).unwrap_err();
    assert_eq!(mismatch.count(), 2);
    assert_eq!(
        mismatch.to_string(),
        "2 of 2 rows differ\n\
         row 1 (line 2): 'order.7.placed' to 'orders'\n  \
         misses queue 'billing': orders --'order.*.paid'--> queue 'billing': pattern 'order.*.paid' fails on key 'order.7.placed' \
         at word 3: 'placed' is not 'paid'\n  \
         reaches queue 'audit' too: orders --'order.#'--> queue 'audit'\n\
         row 2 (line 3): '' to 'none'\n  the node refuses it: 404 NOT_FOUND - no exchange 'none' in vhost '/'"
    );
}

#[test]
fn a_table_that_is_none_is_an_error_with_its_line() {
    let cases = [
        ("", "line 1: found no table, expected one with the columns exchange, key, headers, queues"),
        ("| exchange | key |\n", "line 1: there is no column 'queues'"),
        (
            "| exchange | key | queue |\n",
            "line 1: found column 'queue', expected exchange, key, headers, queues",
        ),
        ("| exchange | key | key | queues |\n", "line 1: column 'key' appears twice"),
        ("| exchange | key | queues |\n|---|---|---|\n", "line 1: the table has no rows"),
        ("| exchange | key | queues |\n| a | b |\n", "line 2: found 2 cells, expected 3"),
        (
            "| exchange | key | headers | queues |\n| a | b | c | d |\n",
            "line 2: found header 'c', expected name=value",
        ),
        ("| exchange | key | queues |\n| \"a | b | d |\n", "line 2: found \"a, expected a text in quotes"),
    ];
    for (text, expected) in cases {
        assert_eq!(RoutingTable::parse_markdown(text).unwrap_err().to_string(), expected);
    }
    assert!(
        RoutingTable::read("/no/such/table.md").unwrap_err().to_string().starts_with("/no/such/table.md: ")
    );
}

#[test]
fn the_table_of_a_topology_has_each_set_of_queues_once() {
    let table = RoutingTable::of(&shop());
    assert!(table.is_complete());
    assert_eq!(
        table.to_string(),
        "| exchange | key | headers | queues |\n\
         |---|---|---|---|\n\
         | documents |  |  |  |\n\
         | documents |  | pages=3, type=pdf | \"print, colour\" |\n\
         | orders |  |  |  |\n\
         | orders | order |  | audit |\n\
         | orders | order.a.paid |  | audit, billing |\n"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_table_of_any_topology_holds_for_it_also_after_reading_it_again(topology in strategy::topology()) {
        let table = RoutingTable::of(&topology);
        table.check(&topology)?;
        let has_odd_headers = table.messages().any(|message| message.headers.iter().any(|(_, value)| is_odd(value)));
        if !table.is_empty() && !has_odd_headers {
            RoutingTable::parse_markdown(&table.to_string())?.check(&topology)?;
        }
    }
}

/// Values that a table cannot represent with their types.
fn is_odd(value: &Value) -> bool {
    matches!(value, Value::Array(_) | Value::Timestamp(_))
}

#[test]
fn coverage_names_the_bindings_that_no_message_used() {
    let topology = shop();
    let coverage = Coverage::of(&topology);
    coverage.route(&Message::new("orders", "order.7.paid")).unwrap();
    assert_eq!(
        coverage.to_string(),
        "2 of 3 bindings used\n  never: documents --'' pages=3 type=\"pdf\" x-match=\"all\"--> queue 'print, colour'\n"
    );
    let panic = std::panic::catch_unwind(|| coverage.assert_complete()).unwrap_err();
    assert!(panic.downcast_ref::<String>().unwrap().starts_with("2 of 3 bindings used"));
    coverage.route(&Message::new("documents", "").header("type", "pdf").header("pages", 3)).unwrap();
    coverage.assert_complete();
}
