//! Many random programs, in several virtual hosts in parallel.

use std::cell::Cell;

use futures_util::future::join_all;
use tavrida_rabbitmq::say;

use crate::divergence::Divergence;
use crate::program::Program;
use crate::run::{Site, Watch};
use crate::shrink::shrink;
use crate::{generate, text};

/// The number of steps of a program.
pub(crate) const LENGTH: usize = 40;
/// How many times in a row a program must diverge alone to count.
const REPEATS: usize = 3;

/// What no program does, told beside the counts.
const BLIND_SPOTS: &str = "not in these programs: several consumers of one queue under a shared limit, clusters, \
    restarts, permissions, streams, at-least-once dead letters, reject-publish of quorum queues, operator policies, and the \
    steps that guard.rs names with their rules";

/// The settings from the environment.
struct Plan {
    seed: u64,
    cases: u64,
    first: u64,
    workers: u64,
}

/// The sums of a run.
#[derive(Default)]
struct Tally {
    next: Cell<u64>,
    programs: Cell<u64>,
    operations: Cell<usize>,
    races: Cell<u64>,
    divergences: Cell<u64>,
}

/// Runs as many programs as `TAVRIDA_CASES` says (300), starting with number `TAVRIDA_FIRST` (0) of `TAVRIDA_SEED` (1).
pub(crate) async fn run() {
    let plan = Plan {
        seed: from_environment("TAVRIDA_SEED", 1),
        cases: from_environment("TAVRIDA_CASES", 300),
        first: from_environment("TAVRIDA_FIRST", 0),
        workers: from_environment("TAVRIDA_WORKERS", 3),
    };
    let tally = Tally::default();
    let node = tavrida_rabbitmq::shared().await.expect("RabbitMQ is installed and starts");
    join_all((0..plan.workers).map(async |worker| {
        let site = Site::new(node, format!("random-{worker}")).await;
        while tally.next.get() < plan.cases && tally.divergences.get() < 5 {
            let number = plan.first + tally.next.get();
            tally.next.set(tally.next.get() + 1);
            one(&site, &plan, number, &tally).await;
        }
    }))
    .await;
    say(format_args!(
        "RabbitMQ {}: programs: {}, operations: {}, divergences: {} (seed {}, programs {}..{}, races left aside: {})",
        node.version(),
        tally.programs.get(),
        tally.operations.get(),
        tally.divergences.get(),
        plan.seed,
        plan.first,
        plan.first + tally.next.get(),
        tally.races.get()
    ));
    say(BLIND_SPOTS);
    assert_eq!(tally.divergences.get(), 0, "the memory broker is not RabbitMQ: see above");
}

async fn one(site: &Site<'_>, plan: &Plan, number: u64, tally: &Tally) {
    let program = generate::program(site.version, plan.seed, number, LENGTH);
    let outcome = site.run(&program, Watch::AtTheEnd).await;
    tally.programs.set(tally.programs.get() + 1);
    tally.operations.set(tally.operations.get() + outcome.operations);
    if tally.programs.get().is_multiple_of(1000) {
        say(format_args!("{} programs so far, {} operations", tally.programs.get(), tally.operations.get()));
    }
    if outcome.divergence.is_none() {
        return;
    }
    match repeated(site, &program).await {
        Some(divergence) => {
            tally.divergences.set(tally.divergences.get() + 1);
            let (program, divergence) = shrink(site, program, divergence).await;
            report(plan.seed, number, &program, &divergence);
        }
        None => {
            tally.races.set(tally.races.get() + 1);
            let divergence = outcome.divergence.as_ref().expect("looked at just now");
            say(format_args!(
                "a race in program {number} of seed {}, which does not repeat:\n{divergence}",
                plan.seed
            ));
        }
    }
}

/// Runs the program in a file and shows what comes, step by step.
pub(crate) async fn run_given(path: &str) {
    let program = text::parse(&std::fs::read_to_string(path).expect("the file of the program can be read"));
    let node = tavrida_rabbitmq::shared().await.expect("RabbitMQ is installed and starts");
    let site = Site::new(node, "given".to_owned()).await;
    for prediction in crate::run::predict(site.version, "given", &program).0 {
        say(format_args!("{}\n    {}", prediction.step, prediction.report.lines().join("\n    ")));
    }
    site.run(&program, Watch::EachStep).await.agreed();
}

/// Returns the divergence of a program that always diverges.
async fn repeated(site: &Site<'_>, program: &Program) -> Option<Divergence> {
    let mut last = None;
    for _ in 0..REPEATS {
        last = Some(site.run(program, Watch::EachStep).await.divergence?);
    }
    last
}

fn report(seed: u64, number: u64, program: &Program, divergence: &Divergence) {
    say(format_args!(
        "\ndivergence in program {number} of seed {seed}; shortened, as a test:\n\n\
         regression!(a_name, r#\"\n{}\"#);\n\n{divergence}",
        text::print(program)
    ));
}

fn from_environment(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is to be a number, not {text:?}")),
        Err(_) => default,
    }
}
