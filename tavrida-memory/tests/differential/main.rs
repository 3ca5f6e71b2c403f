//! The memory broker against RabbitMQ: random programs run on both, and everything that a client can see is compared.
//!
//! The memory broker runs a program first and thereby predicts what RabbitMQ will send: answers, errors with their scope, deliveries with
//! body, properties, headers, tags and order, confirms, returns, counts; finally the remaining contents of the queues. A program that
//! diverges, and does so again alone, is shrunk and printed as a regression to paste.
//!
//! `TAVRIDA_CASES` sets the number of programs (300), `TAVRIDA_SEED` the seed (1), `TAVRIDA_FIRST` the number of the first (0).
//!
//! The node may be RabbitMQ 3.10 or 4.0 (`TAVRIDA_RABBITMQ` names another installation): the memory broker then behaves like that version.
//!
//! Random programs have quorum queues in half of them, histories that clients forged, nested tables in two orders, several faults in one
//! call, connections that break, policies that change at run time, what lives only shortly, and calls that are sent together: pipelined on
//! one channel, or on several at the same moment where they have the same outcome in every order. What they lack is printed beside the
//! counts; [`guard`] names the steps that are left out, each with its rule.
//!
//! The latest runs without a divergence: 4,000 programs of seed 2001 on 3.10.8 before breaking connections, calls sent together, short lives
//! and policies were added; 2,500 of seed 7001 and 2,500 of seed 9001 on 3.10.8 and on 4.0.5 with all of these. Runs between found what is
//! among the [`regressions`]. One race remains without a rule of its own: where a barrier overtakes a publish to a quorum queue (R177), a
//! later step sees it (about one program in 3,000); such a program does not diverge again.

mod action;
mod barrier;
mod divergence;
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

/// Runs both sides of one program, step by step.
#[tokio::test]
#[ignore = "runs the program in the file that TAVRIDA_PROGRAM names"]
async fn given_program() {
    let path = std::env::var("TAVRIDA_PROGRAM").expect("TAVRIDA_PROGRAM names the file of a program");
    random::run_given(&path).await;
}
