//! The thirty lines of the README, on RabbitMQ: a server that has started consumes, so that the first ask is answered, each time.

use tavrida::prelude::*;
use tavrida_amqp::{AmqpConfig, AmqpTransport};

const RUNS: usize = 50;

struct Calc;

#[derive(serde::Serialize)]
struct Sum {
    sum: i64,
}

#[tavrida::service("calc")]
impl Calc {
    #[rpc]
    async fn sum(&self, a: i64, b: i64) -> Result<Sum> {
        let sum =
            a.checked_add(b).ok_or_else(|| Failure::new("calc.Overflow", "too large").with_code(4000))?;
        Ok(Sum { sum })
    }
}

async fn thirty_lines(broker: AmqpTransport) -> Result<()> {
    let server = Server::builder(broker.clone()).service(Calc.into_service()).start().await?;

    let client = Client::builder(broker).source("script").build().await?;
    let answer = client.to("calc.sum").param("a", 1).param("b", 2).ask().await?;
    assert_eq!(answer.payload().get::<i64>("sum")?, 3);

    server.shutdown().await?;
    Ok(())
}

#[tokio::test]
async fn the_thirty_lines_of_the_readme_pass_each_time() {
    let readme = include_str!("../../../README.md");
    assert!(readme.contains(r#"client.to("calc.sum").param("a", 1).param("b", 2).ask().await?;"#));
    let vhost = tavrida_rabbitmq::shared_vhost().await.unwrap();
    for run in 1..=RUNS {
        let transport = AmqpTransport::new(AmqpConfig::from_uri(&vhost.uri()).unwrap());
        thirty_lines(transport).await.unwrap_or_else(|failure| panic!("run {run}: {failure}"));
    }
    println!("README: {RUNS} of {RUNS} runs");
}
