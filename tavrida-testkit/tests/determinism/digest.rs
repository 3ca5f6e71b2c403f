//! One digest of thousands of runs, independent of threads, process and profile.

use std::io::Write;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use tavrida_testkit::fault::Faults;
use tavrida_testkit::schedule::Policy;
use tavrida_testkit::sim::{Setup, Sim, Verdict};

use crate::chain::graph;

/// The digest of the runs of [`SEEDS`], in every profile and on every machine, since the last intended change of behaviour.
///
/// A change of the broker, the core or the testkit that changes what happens in runs, or how it is shown, changes the digest: then set the
/// number here that the failing test prints. If the test then fails with another number, it has found a bug.
const GOLDEN: u64 = 0xd894_6431_423d_eb30;

const SEEDS: u64 = 3000;

/// The number of threads over which a child process of this test distributes the seeds.
const THREADS: &str = "TAVRIDA_DIGEST_THREADS";

#[test]
fn thousands_of_seeds_have_one_digest_in_three_processes_and_on_1_2_and_8_threads() {
    let this_test = std::env::current_exe().expect("the path of this test");
    let children = ["1", "2", "8"].map(|threads| {
        let mut child = Command::new(&this_test);
        child.args(["digest::of_one_process", "--exact", "--ignored", "--nocapture"]).env(THREADS, threads);
        (threads, child.stdout(Stdio::piped()).spawn().expect("a process like this one"))
    });
    for (threads, child) in children {
        let output = child.wait_with_output().expect("a process that ends");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let digest = said.lines().find_map(|line| line.split_once("digest: ")).map(|(_, digest)| digest);
        let golden = format!("{GOLDEN:016x}");
        assert_eq!(digest, Some(golden.as_str()), "on {threads} threads; see `GOLDEN`. It said:\n{said}");
        eprintln!("on {threads} threads digest: {golden}");
    }
}

#[test]
#[ignore = "a part of the test above, which runs it in processes of their own"]
fn of_one_process() {
    let threads = std::env::var(THREADS).map_or(1, |threads| threads.parse().expect("a number of threads"));
    let digest = digest_of_all(threads);
    writeln!(std::io::stdout(), "digest: {digest:016x}").expect("somebody reads it");
}

fn digest_of_all(threads: u64) -> u64 {
    let mut digests = vec![0; SEEDS as usize];
    thread::scope(|scope| {
        let parts: Vec<_> = (0..threads)
            .map(|part| scope.spawn(move || (part..SEEDS).step_by(threads as usize).map(digest).collect()))
            .collect();
        for (part, of_part) in parts.into_iter().enumerate() {
            let of_part: Vec<u64> = of_part.join().expect("every run passes");
            for (nth, digest) in of_part.into_iter().enumerate() {
                digests[part + nth * threads as usize] = digest;
            }
        }
    });
    digests
        .into_iter()
        .fold(0, |all: u64, digest| (all.rotate_left(7) ^ digest).wrapping_mul(0x100_0000_01b3))
}

/// Returns the digest of the run of a seed; every second one has faults.
fn digest(seed: u64) -> u64 {
    let faults = if seed.is_multiple_of(2) { Faults::none() } else { Faults::any().on_clients() };
    let finished = Setup { policy: Policy::Portfolio, faults, ..Setup::new(seed) }.run(two_requests);
    assert_eq!(finished.verdict, Verdict::Passed, "seed {seed}\n{}", finished.trace);
    finished.trace.digest()
}

/// Two concurrent requests.
async fn two_requests(sim: Sim) {
    let graph = graph(&sim).await;
    let web = graph.client("web");
    let ask =
        |cents: i64| web.to("orders.create").param("cents", cents).ask().timeout(Duration::from_secs(30));
    let (one, two) = tokio::join!(ask(1), ask(2));
    // A fault may lose an answer: whether each came is part of the digest.
    sim.note(format!("{:?} {:?}", one.is_ok(), two.is_ok()));
    graph.settle().await;
}
