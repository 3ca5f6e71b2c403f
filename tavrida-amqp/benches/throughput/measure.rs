//! Rounds, medians, ratios.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// The cost of one run: time, processor time of this process, and of the broker.
#[derive(Clone, Copy)]
pub(crate) struct Taken {
    wall: Duration,
    cpu: Duration,
    broker: Duration,
}

impl Taken {
    pub(crate) async fn by(work: impl Future<Output = ()>) -> Self {
        let begin = Begin::now();
        work.await;
        begin.taken()
    }
}

/// The start of a run.
#[derive(Clone, Copy)]
struct Begin {
    wall: Instant,
    cpu: Duration,
    broker: Duration,
}

impl Begin {
    fn now() -> Self {
        Self { wall: Instant::now(), cpu: cpu_time("self"), broker: broker_time() }
    }

    fn taken(self) -> Taken {
        Taken {
            wall: self.wall.elapsed(),
            cpu: cpu_time("self").saturating_sub(self.cpu),
            broker: broker_time().saturating_sub(self.broker),
        }
    }
}

/// The time from the first of many events to the last.
pub(crate) struct Meter {
    left: AtomicUsize,
    begin: OnceLock<Begin>,
    taken: Mutex<Option<Taken>>,
    done: Notify,
}

impl Meter {
    pub(crate) fn new(events: usize) -> Arc<Self> {
        let (begin, taken, done) = (OnceLock::new(), Mutex::new(None), Notify::new());
        Arc::new(Self { left: AtomicUsize::new(events), begin, taken, done })
    }

    /// Counts one of the events.
    pub(crate) fn tick(&self) {
        let begin = *self.begin.get_or_init(Begin::now);
        if self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            *self.taken.lock().unwrap() = Some(begin.taken());
            self.done.notify_one();
        }
    }

    /// Waits for the last one.
    pub(crate) async fn taken(&self) -> Taken {
        self.done.notified().await;
        self.taken.lock().unwrap().expect("it is set before")
    }
}

/// The process of the broker, whose processor time is printed too.
pub(crate) static BROKER: OnceLock<u32> = OnceLock::new();

fn broker_time() -> Duration {
    BROKER.get().map_or(Duration::ZERO, |pid| cpu_time(&pid.to_string()))
}

/// Returns the user and system time of a process; zero without `/proc`.
fn cpu_time(process: &str) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 =
        after_name.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// The goal for a ratio, and the floor for a release.
#[derive(Clone, Copy)]
pub(crate) struct Goal {
    pub(crate) goal: f64,
    pub(crate) floor: f64,
}

impl Goal {
    /// Formats a ratio with its goal, if it has one.
    fn beside(goal: Option<Self>, ratio: f64) -> String {
        match goal {
            Some(Self { goal, floor }) => {
                let verdict = if ratio < floor { ", below the floor" } else { "" };
                format!(" (goal {goal:.2}x, floor {floor:.2}x{verdict})")
            }
            None => String::new(),
        }
    }
}

/// The runs of one workload, by participant.
pub(crate) struct Case {
    title: String,
    messages: usize,
    runs: BTreeMap<&'static str, Vec<Taken>>,
}

impl Case {
    pub(crate) fn new(title: String, messages: usize) -> Self {
        Self { title, messages, runs: BTreeMap::new() }
    }

    pub(crate) fn add(&mut self, who: &'static str, taken: Taken) {
        self.runs.entry(who).or_default().push(taken);
    }

    /// Prints all numbers, and ours as a ratio to each peer's, with the goal.
    pub(crate) fn print(&self, peers: &[(&'static str, Option<Goal>)]) {
        println!("{}", self.title);
        for (who, runs) in &self.runs {
            self.print_runs(who, runs);
        }
        for (peer, goal) in peers {
            self.compare("ours", peer, *goal);
        }
    }

    /// Prints numbers as a ratio to a peer's, with the goal.
    pub(crate) fn compare(&self, ours: &str, peer: &str, goal: Option<Goal>) {
        let pairs = || self.runs[ours].iter().zip(&self.runs[peer]);
        let wall = median(pairs().map(|(ours, theirs)| theirs.wall.as_secs_f64() / ours.wall.as_secs_f64()));
        let cpu = median(pairs().map(|(ours, theirs)| ours.cpu.as_secs_f64() / theirs.cpu.as_secs_f64()));
        let goal = Goal::beside(goal, wall);
        println!("  {ours} to {peer}: {wall:.2}x as fast{goal}, at {cpu:.2}x its CPU");
    }

    /// Prints our CPU time beside that of peers which were measured elsewhere.
    pub(crate) fn print_cpu(&self, peers: &[(&str, f64, Option<Goal>)]) {
        println!("{}", self.title);
        let cpu = self.print_runs("ours", &self.runs["ours"]);
        for (peer, microseconds, goal) in peers {
            let ratio = microseconds / cpu;
            let goal = Goal::beside(*goal, ratio);
            println!("  {peer}: {microseconds:.0} us CPU; ours takes {ratio:.1}x less{goal}");
        }
    }

    /// Prints medians. Returns that of the processor time of a message, in microseconds.
    fn print_runs(&self, who: &str, runs: &[Taken]) -> f64 {
        let micros = |time: Duration| time.as_secs_f64() * 1e6 / self.messages as f64;
        let rate = median(runs.iter().map(|run| self.messages as f64 / run.wall.as_secs_f64()));
        let cpu = median(runs.iter().map(|run| micros(run.cpu)));
        let broker = median(runs.iter().map(|run| micros(run.broker)));
        println!("  {who:<32} {rate:>9.0} /s  {cpu:>6.1} us CPU, and {broker:>6.1} us of the broker's");
        cpu
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
