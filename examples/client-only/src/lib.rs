//! A program that is not a service: it casts, asks, sends many concurrent asks, and handles errors.

use std::time::Duration;

use example_support::{Broker, Story};
use serde::{Deserialize, Serialize};
use tavrida::prelude::*;

/// Asks for a sum: the contract that both sides share.
#[derive(Serialize, Deserialize, Rpc)]
#[rpc("calc.sum", reply = Sum)]
struct Add {
    a: i64,
    b: i64,
}

/// What the calculator answers.
#[derive(Serialize, Deserialize)]
struct Sum {
    sum: i64,
}

struct Calculator(Story);

#[tavrida::service("calc")]
impl Calculator {
    #[rpc(Add)]
    async fn sum(&self, add: Add) -> Result<Sum> {
        let too_large = || Failure::new("calc.Overflow", "the sum is too large").with_code(4000);
        Ok(Sum { sum: add.a.checked_add(add.b).ok_or_else(too_large)? })
    }

    #[rpc]
    async fn note(&self, text: String) {
        self.0.tell(format!("calc: noted {text:?}"));
    }
}

/// Runs a service and a client of it. Returns what happened, line by line.
///
/// # Errors
///
/// The first error.
pub async fn app(broker: Broker) -> Result<Vec<String>> {
    let story = Story::new();
    let server = Server::builder(broker.clone())
        .queue("calc")
        .exchange("calc_exchange")
        .service(Calculator(story.clone()).into_service())
        .start()
        .await?;
    // This name has an exchange (the server's), but no queue is bound for it.
    let registry =
        Registry::new().remote_service("calc", "calc_exchange").remote_service("nobody", "calc_exchange");
    let client = Client::builder(broker).source("script").discovery(registry).build().await?;

    let cast = client.to("calc.note").param("text", "a cast has no answer").cast().await?;
    story.tell(format!("script: the cast was {cast:?}"));
    story.until("noted").await?;

    let answer = client.ask(Add { a: 1, b: 2 }).timeout(Duration::from_secs(2)).await?;
    story.tell(format!("script: 1 + 2 = {}", answer.sum));

    let asks: Vec<_> = (1..=100).map(|n| tokio::spawn(client.ask(Add { a: n, b: n }))).collect();
    let mut total = 0;
    for ask in asks {
        total += ask.await??.sum;
    }
    story.tell(format!("script: a hundred asks at once sum up to {total}"));

    for (service, what) in [("calc.sum", i64::MAX), ("calc.nope", 1), ("nobody.sum", 1), ("stranger.sum", 1)]
    {
        match client.to(service).param("a", what).param("b", what).ask().await {
            Ok(answer) => story.tell(format!("script: unexpected: {}", answer.payload().as_str())),
            Err(error) => story.tell(format!("script: {error}")),
        }
    }

    client.close().await;
    server.shutdown().await?;
    Ok(story.lines())
}
