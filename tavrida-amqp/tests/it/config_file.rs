//! Servers and clients from configuration files, on a real node, and with the environment of a real process.

use std::fs;
use std::process::Command;

use serde_json::json;
use tavrida::discovery::Registry;
use tavrida::prelude::*;
use tavrida_amqp::{AmqpConfig, AmqpTransport, ConfigFile, ServerConfig};

use crate::fixture::run;
use crate::support::soon;

fn calc() -> Service {
    Service::new("calc").rpc("double", params(["n"], async |n: i64| json!({ "n": 2 * n })))
}

/// Answers with the result of `calc`, which runs in another server.
fn desk() -> Service {
    async fn ask(proxy: Proxy, n: i64) -> Result<serde_json::Value> {
        let answer = proxy.to("calc.double").param("n", n).ask().await?;
        Ok(json!({ "n": answer.payload().get::<i64>("n")? }))
    }
    Service::new("desk").rpc("ask", params(["n"], ask))
}

#[tokio::test]
async fn servers_and_a_client_out_of_files_find_the_broker_and_each_other() {
    let vhost = tavrida_rabbitmq::shared_vhost().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: String| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    file("services.ds", "[calc]\nexchange = calc_exchange\n\n[desk]\nexchange = desk_exchange\n".into());
    let parts = format!(
        "[connection]\nhosts = [\"127.0.0.1\"]\nport = {}\nvirtual_host = \"{}\"\nframe_max = 8192\n",
        vhost.node().port(),
        vhost.name()
    );
    let uri = format!("[connection]\nuri = \"{}?frame_max=8192\"\n", vhost.uri());
    let server = |name: &str| {
        format!(
            "[server]\nqueue = \"{name}\"\nexchange = \"{name}_exchange\"\nservices = [\"{name}\"]\ndiscovery = \"services.ds\"\n"
        )
    };
    let calc_file = file("calc.toml", parts.clone() + &server("calc"));
    let desk_file = file("desk.toml", uri + &server("desk"));

    let mut servers = Vec::new();
    for file in [&calc_file, &desk_file] {
        let config = ServerConfig::from_file(file).unwrap();
        servers.push(run(config.builder([calc(), desk()]).unwrap()).await);
    }
    let config = AmqpConfig::from_file(&calc_file).unwrap();
    assert_eq!(config, *ServerConfig::from_file(&desk_file).unwrap().connection(), "both say the same");
    let registry = Registry::new().remote_service("desk", "desk_exchange");
    let client = Client::builder(AmqpTransport::new(config)).source("client_app").discovery(registry);
    let client = client.build().await.unwrap();
    let answer = soon(async { client.to("desk.ask").param("n", 21).ask().await }).await.unwrap();
    assert_eq!(answer.payload().get::<i64>("n").unwrap(), 42);
    client.close().await;
    servers.iter().for_each(tavrida::server::ServerHandle::stop);
}

#[test]
#[ignore = "for the_environment_of_the_process_is_read, which starts it with variables"]
fn a_process_with_variables() {
    let file = ConfigFile::environment();
    assert_eq!(file.connection().unwrap().endpoint(), "amqp://elsewhere:7/%2f");
    assert_eq!(file.server().unwrap().queue(), "from_the_environment");
}

#[test]
fn the_environment_of_the_process_is_read() {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "config_file::a_process_with_variables"])
        .env("TAVRIDA_CONNECTION__HOST", "elsewhere")
        .env("TAVRIDA_CONNECTION__PORT", "7")
        .env("TAVRIDA_SERVER__QUEUE", "from_the_environment")
        .env("TAVRIDA_SERVER__EXCHANGE", "e")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && told.contains("1 passed"), "{told}");
}
