//! The memory broker beside RabbitMQ: random programs run on both, and everything that a client can see is compared.
//!
//! The memory broker runs a program first and so predicts what RabbitMQ is going to say: answers, errors with their scope,
//! deliveries with body, properties, headers, tags and order, confirms, returns, counts; at the end what is left in the
//! queues. A program that diverges, and does so again alone, is shortened and printed as a regression to paste.
//!
//! `TAVRIDA_CASES` says how many programs (300), `TAVRIDA_SEED` of which seed (1), `TAVRIDA_FIRST` from which number on (0).

mod barrier;
mod generate;
mod guard;
mod heard;
mod names;
mod program;
mod random;
mod reach;
mod real;
mod regressions;
mod run;
mod scenarios;
mod shadow;
mod shrink;
mod tables;
mod text;
mod wire;
mod world;

#[tokio::test]
async fn random_programs() {
    random::run().await;
}

/// The program in the file that `TAVRIDA_PROGRAM` names: what both sides say of its end.
#[tokio::test]
async fn given_program() {
    if let Ok(path) = std::env::var("TAVRIDA_PROGRAM") {
        random::run_given(&path).await;
    }
}
