//! Servers from files in a folder.

use std::fs;
use std::path::Path;

use tavrida::Service;

use crate::ServerConfig;

const SERVER: &str = "[server]\nqueue = \"q\"\nexchange = \"e\"\n";

fn offered() -> [Service; 2] {
    let orders = Service::new("orders").rpc("count", || async {});
    [orders, Service::new("audit").on_notification("stock.low", || async {})]
}

/// Returns the plan of the server in a file, with a discovery file beside it; or the error.
fn plan(server: &str, services: &str) -> Result<String, String> {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("services.ds"), services).expect("a file");
    let file = folder.path().join("tavrida.toml");
    fs::write(&file, format!("{SERVER}{server}")).expect("a file");
    let config = ServerConfig::from_file(&file).map_err(|error| error.to_string())?;
    let builder = config.builder(offered()).map_err(|error| without(folder.path(), &error.to_string()))?;
    let server = builder.build().map_err(|error| error.to_string())?;
    Ok(server.plan().to_string())
}

fn without(folder: &Path, text: &str) -> String {
    text.replace(&format!("{}/", folder.display()), "")
}

const LANDSCAPE: &str = "
    [orders]
    exchange = e

    [audit]
    exchange = e

    [stock]
    exchange = stock
    notifications = stock_notifications
";

#[tokio::test]
async fn the_services_that_are_named_run_and_find_their_publishers_in_the_file_beside() {
    let both = plan("discovery = \"services.ds\"", LANDSCAPE).expect("a plan");
    assert!(both.contains("orders.#") && both.contains("stock.low.#"), "{both}");
    assert!(both.contains("stock_notifications"), "{both}");
    let one = plan("services = [\"orders\"]", "").expect("a plan");
    assert!(one.contains("orders.#") && !one.contains("stock"), "{one}");
}

#[tokio::test]
async fn a_publisher_of_a_pattern_is_found_in_the_file_and_a_missing_exchange_of_ones_own_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("services.ds"), LANDSCAPE).expect("a file");
    let file = folder.path().join("tavrida.toml");
    fs::write(&file, format!("{SERVER}discovery = \"services.ds\"")).expect("a file");
    let config = ServerConfig::from_file(&file).expect("a configuration");
    let audit = || Service::new("audit").on_notification("stock.*", || async {});
    let server = config.builder([audit()]).expect("all is in the file").build().expect("a server");
    assert!(server.plan().to_string().contains("<- stock_notifications: stock.*"), "{}", server.plan());
    let error = config.builder([audit().publishes("seen")]).expect("all is in the file").build();
    let error = error.map(drop).expect_err("[audit] has no `notifications`").to_string();
    assert!(
        error.contains("service 'audit' emits audit.seen") && error.contains("`notifications`"),
        "{error}"
    );
}

#[tokio::test]
async fn a_service_that_the_program_has_not_is_named() {
    let error = plan("services = [\"orders\", \"billing\"]", "").expect_err("there is no billing");
    assert_eq!(
        error,
        "tavrida.toml, line 4: server.services: the program has no service \"billing\"; it has: orders, audit"
    );
}

#[tokio::test]
async fn a_discovery_file_that_does_not_serve_is_named_with_the_reason() {
    let error = plan("discovery = \"services.ds\"", "[orders]\nexchange = e").expect_err("no [audit]");
    assert_eq!(
        error,
        "tavrida.toml, line 4: server.discovery: services.ds: section [audit]: the service itself has no section; \
         sections are: [orders]"
    );
    let error = plan("discovery = \"nowhere.ds\"", "").expect_err("no such file");
    assert!(
        error.starts_with("tavrida.toml, line 4: server.discovery: nowhere.ds: it cannot be read: "),
        "{error}"
    );
    assert!(error.len() > "tavrida.toml, line 4: server.discovery: nowhere.ds: it cannot be read: ".len());
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = ServerConfig::from_file("/nowhere/tavrida.toml").map(drop).expect_err("no such file");
    assert!(error.to_string().starts_with("/nowhere/tavrida.toml: it cannot be read: "), "{error}");
}
