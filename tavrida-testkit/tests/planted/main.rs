//! For each family of faults a graph of services with an honest mistake that this family reveals, and the same graph repaired.
//!
//! `cargo test -p tavrida-testkit --test planted -- --nocapture` prints how many seeds it took, and how few decisions are left.

mod alarms;
mod arriving;
mod book;
mod network;
mod every_await;
mod interleaving;
mod process;
mod sending;
mod tasks;
mod timing;

use std::fmt::Write as _;
use std::future::Future;
use std::pin::Pin;

use tavrida::message::Failure;
use tavrida_testkit::explore;
use tavrida_testkit::fault::{Family, Faults};
use tavrida_testkit::schedule::Policy;
use tavrida_testkit::sim::Sim;

/// A run of a scenario, with the mistake or repaired.
pub(crate) type Playing = Pin<Box<dyn Future<Output = Result<(), Failure>>>>;

/// A bug, and the family that reveals it.
struct Plant {
    family: Family,
    mistake: &'static str,
    play: fn(Sim, bool) -> Playing,
}

/// Makes a table of the scenarios, each an `async fn(Sim, mended: bool)`.
macro_rules! plants {
    ($($family:ident: $mistake:literal, $play:path;)*) => {
        [$(Plant {
            family: Family::$family,
            mistake: $mistake,
            play: |sim, mended| Box::pin($play(sim, mended)),
        }),*]
    };
}

const PLANTS: [Plant; 26] = plants! {
    LateStart: "nobody listens yet, and the sender does not care", sending::early_stock;
    PublishLost: "what is ambiguous is taken for sent", sending::taken_for_sent;
    ConfirmLost: "what is ambiguous is taken for failed, and sent again", sending::sent_again;
    ConfirmLate: "what is sent first has its effects first", sending::shipped_before_it_is_known;
    Nacked: "only what is ambiguous is sent again, and not what was refused", sending::refused_for_good;
    PublishedTwice: "only what is marked as redelivered can be a second copy", sending::unmarked_copies;
    CrashAtPublish: "a sale is entered before it is told, and without its number", sending::entered_then_told;
    Delayed: "no answer in time means that nothing was done", arriving::no_answer_no_goods;
    Overtaken: "who is told first hears first", arriving::deposit_before_account;
    ConnectionLost: "no answer means that the charge failed", arriving::no_answer_no_charge;
    ChannelClosed: "a message is not worked twice at a time", arriving::check_then_act;
    ConsumerCancelled: "an answer takes 40 ms at most", arriving::impatient;
    BrokerRestart: "what is confirmed is kept, transient or not", arriving::transient_but_confirmed;
    BrokerKilled: "what is marked as redelivered was worked before", arriving::marked_is_done;
    Partition: "who leads does so until it is told otherwise", network::two_leaders;
    Deaf: "who does not answer did nothing, so another is asked", network::charged_at_both;
    Mute: "a worker that is silent does not work", network::done_by_both;
    Expired: "an ask that nobody waits for is as good as a cast", arriving::ask_and_forget;
    Overflow: "what is confirmed is kept, however full the queue", arriving::full_but_confirmed;
    ClockJump: "the wall clock measures how old a token is", network::token_by_the_wall_clock;
    Slow: "of one queue, what comes first is done first", process::last_write_wins;
    CrashAtStart: "what was told once at the beginning is known for good", process::told_once;
    CrashInHandler: "a transfer is done in two steps, and both get done", process::two_steps;
    CrashBeforeAck: "what a process has done it knows, and need not look up", process::done_is_acked;
    CrashAfterAck: "what was acked is known for good", process::only_in_memory;
    Redelivered: "a message comes once", process::comes_once;
};

const STARTS: [u64; 3] = [1, 1_000_000, 77_000_000];

#[test]
fn every_planted_bug_is_found_from_each_start_and_made_short() {
    let mut table = String::from("family              seeds until found    deviations    the mistake\n");
    let mut lengths: Vec<usize> = Vec::new();
    for plant in PLANTS {
        let mut seeds = Vec::new();
        let mut left = Vec::new();
        for start in STARTS {
            let report = explore(|sim| (plant.play)(sim, false))
                .schedules(10_001)
                .seed(start)
                .policy(Policy::Fifo)
                .faults(Faults::only(plant.family).on_clients())
                .without_environment()
                .run();
            let failure = report.failure();
            let failure = failure.unwrap_or_else(|| panic!("{}: not found from seed {start}", plant.family));
            seeds.push(report.found_after().expect("it was found"));
            left.push(failure.schedule.len());
        }
        let list = |numbers: Vec<String>| numbers.join(" ");
        let seeds = list(seeds.iter().map(ToString::to_string).collect());
        lengths.extend(&left);
        let left = list(left.iter().map(ToString::to_string).collect());
        writeln!(table, "{:<20}{seeds:<21}{left:<14}{}", plant.family, plant.mistake).expect("text has room");
    }
    eprintln!("{table}");
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    assert!(median <= 4, "{median} decisions are left in the median\n{table}");
}

#[test]
fn every_mended_service_bears_what_the_mistaken_one_does_not() {
    for plant in PLANTS {
        let report = explore(|sim| (plant.play)(sim, true))
            .schedules(500)
            .policy(Policy::Fifo)
            .faults(Faults::none().with(plant.family, 0.1).on_clients())
            .without_environment()
            .run();
        assert!(report.is_ok(), "{}: {}\n{report}", plant.family, plant.mistake);
    }
}

#[test]
fn as_long_as_all_goes_well_no_mistake_shows() {
    for plant in PLANTS {
        let report = explore(|sim| (plant.play)(sim, false))
            .schedules(1)
            .policy(Policy::Fifo)
            .without_environment()
            .run();
        assert!(report.is_ok(), "{}: {}\n{report}", plant.family, plant.mistake);
    }
}

#[test]
fn each_family_has_its_bug() {
    let planted: Vec<Family> = PLANTS.iter().map(|plant| plant.family).collect();
    assert_eq!(planted, Family::ALL);
}
