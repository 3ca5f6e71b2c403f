//! Rounds, medians, ratios.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// What one run took.
#[derive(Clone, Copy)]
pub(crate) struct Taken {
    wall: Duration,
    cpu: Duration,
}

impl Taken {
    pub(crate) async fn by(work: impl Future<Output = ()>) -> Self {
        let (wall, cpu) = (Instant::now(), cpu_time());
        work.await;
        Self { wall: wall.elapsed(), cpu: cpu_time().saturating_sub(cpu) }
    }
}

/// The time from the first of many events to the last.
pub(crate) struct Meter {
    left: AtomicUsize,
    begin: OnceLock<(Instant, Duration)>,
    taken: Mutex<Option<Taken>>,
    done: Notify,
}

impl Meter {
    pub(crate) fn new(events: usize) -> Arc<Self> {
        let (begin, taken, done) = (OnceLock::new(), Mutex::new(None), Notify::new());
        Arc::new(Self { left: AtomicUsize::new(events), begin, taken, done })
    }

    /// One of the events.
    pub(crate) fn tick(&self) {
        let (wall, cpu) = *self.begin.get_or_init(|| (Instant::now(), cpu_time()));
        if self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            let taken = Taken { wall: wall.elapsed(), cpu: cpu_time().saturating_sub(cpu) };
            *self.taken.lock().unwrap() = Some(taken);
            self.done.notify_one();
        }
    }

    /// Waits for the last one.
    pub(crate) async fn taken(&self) -> Taken {
        self.done.notified().await;
        self.taken.lock().unwrap().expect("it is set before")
    }
}

/// User and system time of this process; zero where there is no `/proc`.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 =
        after_name.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// The runs of one workload, by who did it.
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

    /// Prints everybody's numbers, and ours as a ratio to each peer's beside the goal.
    pub(crate) fn print(&self, peers: &[(&'static str, Option<f64>)]) {
        println!("{}", self.title);
        for (who, runs) in &self.runs {
            let rate = median(runs.iter().map(|run| self.messages as f64 / run.wall.as_secs_f64()));
            let cpu = median(runs.iter().map(|run| run.cpu.as_secs_f64() * 1e6 / self.messages as f64));
            println!("  {who:<32} {rate:>9.0} /s  {cpu:>6.1} us CPU");
        }
        for (peer, goal) in peers {
            let pairs = || self.runs["ours"].iter().zip(&self.runs[peer]);
            let wall =
                median(pairs().map(|(ours, theirs)| theirs.wall.as_secs_f64() / ours.wall.as_secs_f64()));
            let cpu = median(pairs().map(|(ours, theirs)| ours.cpu.as_secs_f64() / theirs.cpu.as_secs_f64()));
            let goal = goal.map(|goal| format!(" (goal {goal:.2}x)")).unwrap_or_default();
            println!("  ours to {peer}: {wall:.2}x as fast{goal}, at {cpu:.2}x its CPU");
        }
    }
}

impl Case {
    /// Prints the CPU time of ours beside that of a peer which was measured elsewhere.
    pub(crate) fn print_cpu(&self, peer: &str, microseconds: f64, goal: f64) {
        println!("{}", self.title);
        let runs = &self.runs["ours"];
        let rate = median(runs.iter().map(|run| self.messages as f64 / run.wall.as_secs_f64()));
        let cpu = median(runs.iter().map(|run| run.cpu.as_secs_f64() * 1e6 / self.messages as f64));
        println!("  {:<32} {rate:>9.0} /s  {cpu:>6.1} us CPU", "ours");
        println!("  {peer:<32} {:>9}     {microseconds:>6.1} us CPU", "");
        println!("  ours takes {:.1}x less CPU (goal {goal:.1}x)", microseconds / cpu);
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
