//! Rounds, medians, ratios.

use std::collections::BTreeMap;
use std::time::Duration;

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

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
