//! A program that is no service: it casts, asks, asks many at once, and learns what went wrong.

use std::time::Duration;

use example_support::{Broker, Result, Running, Story};
use tavrida::prelude::*;

/// What the calculator answers.
#[derive(serde::Serialize)]
struct Sum {
    sum: i64,
}

async fn sum(a: i64, b: i64) -> tavrida::prelude::Result<Sum> {
    let sum =
        a.checked_add(b).ok_or_else(|| Failure::new("calc.Overflow", "the sum is too large").code(4000))?;
    Ok(Sum { sum })
}

async fn note(story: State<Story>, text: String) {
    story.tell(format!("calc: noted {text:?}"));
}

fn calculator(story: Story) -> Service {
    Service::new("calc").state(story).rpc("sum", params(["a", "b"], sum)).rpc("note", params(["text"], note))
}

/// Runs a service for the client to talk to, and the client, and gives what happened.
///
/// # Errors
///
/// Whatever goes wrong first.
pub async fn app(broker: Broker) -> Result<Vec<String>> {
    let story = Story::new();
    let server = Running::start(
        Server::builder(broker.clone())
            .queue("calc")
            .exchange("calc_exchange")
            .service(calculator(story.clone()))
            .build()?,
    )
    .await?;
    // `nobody` has an exchange (the server's own), but no queue is bound for it.
    let registry =
        Registry::new().remote_service("calc", "calc_exchange").remote_service("nobody", "calc_exchange");
    let client = Client::builder(broker).source("script").discovery(registry).build().await?;

    let cast = client.to("calc.note").param("text", "a cast has no answer").cast().await?;
    story.tell(format!("script: the cast was {cast:?}"));
    story.until("noted").await?;

    let answer =
        client.to("calc.sum").param("a", 1).param("b", 2).ask().timeout(Duration::from_secs(2)).await?;
    story.tell(format!("script: 1 + 2 = {}", answer.payload().get::<i64>("sum")?));

    let ask = |n: i64| {
        let client = client.clone();
        async move { client.to("calc.sum").param("a", n).param("b", n).ask().await }
    };
    let asks: Vec<_> = (1..=100).map(|n| tokio::spawn(ask(n))).collect();
    let mut total = 0;
    for ask in asks {
        total += ask.await??.payload().get::<i64>("sum")?;
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
    server.stop().await?;
    Ok(story.lines())
}
