//! [`Policy`]: how a run decides when nothing is prescribed.

use std::fmt;
use std::time::Duration;

use super::Candidate;
use super::pct::Pct;
use crate::fault::Point;
use crate::random::{hash, join, scale};

/// How a run decides which message arrives next. Each decision is drawn from the seed and its subject only, so that adding or removing a
/// decision changes no other.
///
/// [`Random`](Policy::Random) and [`Pct`](Policy::Pct) also let some steps of others, from 1 to 64, come before every fifth confirm and
/// every fifth [yield point](crate::yield_point); [`Delay`](Policy::Delay) delays these as it delays messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Policy {
    /// Messages arrive in the order in which they were sent.
    Fifo,
    /// Any message that could arrive, with equal probability.
    Random,
    /// Some messages and confirms are late. Those that are due arrive in the order in which they were sent.
    Delay {
        /// The percentage of late messages.
        percent: u8,
        /// The longest delay; delays are whole milliseconds from 1.
        max: Duration,
    },
    /// Probabilistic concurrency testing: each consumer has a priority, and messages for the highest arrive first; `depth - 1` times in a
    /// run the highest becomes the lowest. Finds bugs that need `depth` decisions (Burckhardt et al., 2010).
    Pct {
        /// From 1, which never changes priorities.
        depth: u8,
    },
    /// As [`Delay`](Policy::Delay), but of those that are due any arrives, with equal probability.
    RandomDelay {
        /// The percentage of late messages.
        percent: u8,
        /// The longest delay.
        max: Duration,
    },
    /// As [`Delay`](Policy::Delay), but those that are due arrive by priorities, as for [`Pct`](Policy::Pct).
    PctDelay {
        /// From 1, which never changes priorities.
        depth: u8,
        /// The percentage of late messages.
        percent: u8,
        /// The longest delay.
        max: Duration,
    },
    /// One of the others for each seed: of 10 seeds, 4 keep the order of sending, 4 have priorities with depths from 2 to 5, and 2 any order.
    /// Of each ten, eight also have delays, of a share and a bound that the seed draws: from 10 % to 80 %, and from 30 ms to 1.92 s, each
    /// scale with equal probability. Handlers that take time, timeouts and leases have bugs on the scale of any of these; for
    /// longer ones, choose [`Delay`](Policy::Delay).
    Portfolio,
}

impl Policy {
    /// A quarter of the messages arrives late, by up to 100 ms.
    pub const DELAY: Self = Self::Delay { percent: 25, max: Duration::from_millis(100) };

    /// Returns the policy for a seed: for a portfolio the one that the seed selects, otherwise itself.
    pub fn of_seed(self, seed: u64) -> Self {
        if self != Self::Portfolio {
            return self;
        }
        let bits = join(seed, hash(b"portfolio"));
        let (percent, max) = delays(seed);
        let depth = 2 + (bits % 4) as u8;
        match scale(bits, 10) {
            0..=3 => Self::Delay { percent, max },
            4 => Self::Pct { depth },
            5..=7 => Self::PctDelay { depth, percent, max },
            8 => Self::Random,
            _ => Self::RandomDelay { percent, max },
        }
    }
}

/// Returns the share and the bound of the delays of a seed, in steps of one ratio: small and large scales are equally probable.
fn delays(seed: u64) -> (u8, Duration) {
    const PERCENTS: [u8; 7] = [10, 14, 20, 28, 40, 56, 80];
    const SHORTEST: u64 = 30;
    // An ask with a timeout of 5 s is still answered if request and answer are as late as can be: shorter timeouts are what it tests.
    const DOUBLINGS: u64 = 6;
    let percent = scale(join(seed, hash(b"percent")), PERCENTS.len() as u64);
    let doublings = scale(join(seed, hash(b"bound")), DOUBLINGS + 1);
    let percent = PERCENTS[usize::try_from(percent).expect("it is below a usize")];
    (percent, Duration::from_millis(SHORTEST << doublings))
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fifo => f.write_str("first come first served"),
            Self::Random => f.write_str("random"),
            Self::Delay { percent, max } => late(f, *percent, *max),
            Self::RandomDelay { percent, max } => {
                f.write_str("random, with ")?;
                late(f, *percent, *max)
            }
            Self::PctDelay { depth, percent, max } => {
                write!(f, "priorities of depth {depth}, with ")?;
                late(f, *percent, *max)
            }
            Self::Pct { depth } => write!(f, "priorities of depth {depth}"),
            Self::Portfolio => f.write_str("portfolio"),
        }
    }
}

fn late(f: &mut fmt::Formatter<'_>, percent: u8, max: Duration) -> fmt::Result {
    write!(f, "delays of {percent} % up to {} ms", max.as_millis())
}

/// The percentage of confirms and yield points that others overtake where only the order counts, and how often the most of them is doubled,
/// from 1.
const OVERTAKEN: u64 = 20;
const DOUBLINGS: u64 = 7;

/// A policy in one run.
pub(super) struct Steering {
    seed: u64,
    order: Order,
    /// The percentage of late messages, and their longest delay in milliseconds.
    late: Option<(u64, u64)>,
}

/// How a run orders what could arrive.
enum Order {
    Fifo,
    Random,
    Pct(Pct),
}

impl Steering {
    /// For a run with about `length` arrivals.
    pub(super) fn new(policy: Policy, seed: u64, length: u32) -> Self {
        let policy = policy.of_seed(seed);
        let order = match policy {
            Policy::Fifo | Policy::Delay { .. } | Policy::Portfolio => Order::Fifo,
            Policy::Random | Policy::RandomDelay { .. } => Order::Random,
            Policy::Pct { depth } | Policy::PctDelay { depth, .. } => {
                Order::Pct(Pct::new(seed, depth, length))
            }
        };
        let late = match policy {
            Policy::Delay { percent, max }
            | Policy::RandomDelay { percent, max }
            | Policy::PctDelay { percent, max, .. } => {
                let max = u64::try_from(max.as_millis()).unwrap_or(u64::MAX).max(1);
                Some((percent.into(), max))
            }
            _ => None,
        };
        Self { seed, order, late }
    }

    /// Picks the candidate that arrives; the oldest was passed `passed` times.
    pub(super) fn pick(&mut self, candidates: &[Candidate], passed: u32) -> usize {
        match &mut self.order {
            Order::Fifo => 0,
            Order::Random => any(self.seed, candidates, passed),
            Order::Pct(pct) => pct.pick(candidates).unwrap_or_else(|| any(self.seed, candidates, passed)),
        }
    }

    /// Returns how much later than it could a message arrives, or code goes on.
    pub(super) fn delay(&self, point: Point) -> Duration {
        let Some((percent, max)) = self.late else { return Duration::ZERO };
        let late = scale(draw(self.seed, point, b"late"), 100) < percent;
        let by = if late { 1 + scale(draw(self.seed, point, b"by"), max) } else { 0 };
        Duration::from_millis(by)
    }

    /// Returns how many steps of others come before code goes on.
    pub(super) fn passed_by(&self, point: Point) -> u32 {
        let is_ordered = matches!(self.order, Order::Random | Order::Pct(_)) && self.late.is_none();
        if !is_ordered || scale(draw(self.seed, point, b"late"), 100) >= OVERTAKEN {
            return 0;
        }
        1 << scale(draw(self.seed, point, b"by"), DOUBLINGS)
    }
}

/// Returns any candidate with equal probability: drawn for the oldest, and for how often it was passed.
fn any(seed: u64, candidates: &[Candidate], passed: u32) -> usize {
    let bits = join(draw(seed, candidates[0].point, b"pick"), passed.into());
    usize::try_from(scale(bits, candidates.len() as u64)).expect("it is below a usize")
}

/// Returns random bits for one decision.
fn draw(seed: u64, point: Point, what: &[u8]) -> u64 {
    join(join(join(seed, hash(what)), point.key), u64::from(point.nth) << 8 | point.site as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Site;
    use crate::trace::ActorId;

    fn candidate(consumer: u64, nth: u32) -> Candidate {
        let point = Point { site: Site::Deliver, key: join(consumer, hash(b"message")), nth };
        Candidate { point, consumer, process: ActorId::of_peer(0), contended: None }
    }

    /// Returns which consumer gets a message, 12 times; all five always have one.
    fn picks(policy: Policy, seed: u64, length: u32) -> String {
        let mut steering = Steering::new(policy, seed, length);
        let mut had = [1; 5];
        let mut passed = 0;
        let picks = (0..12).map(|_| {
            let candidates: Vec<Candidate> = (0..5).map(|to| candidate(to, had[to as usize])).collect();
            let picked = steering.pick(&candidates, passed);
            had[picked] += 1;
            passed = if picked == 0 { 0 } else { passed + 1 };
            picked.to_string()
        });
        picks.collect()
    }

    #[test]
    fn what_a_seed_decides_is_this_for_good() {
        let pct = |depth| Policy::Pct { depth };
        let both = |policy| [1, 2].map(|seed| picks(policy, seed, 12));
        let all = [Policy::Fifo, Policy::Random, pct(1), pct(4)].map(both);
        let known = [
            ["000000000000", "000000000000"],
            ["023100333044", "143423433221"],
            ["111111111111", "111111111111"],
            ["103333333344", "111110000442"],
        ];
        assert_eq!(all, known);
        let half = Policy::Delay { percent: 50, max: Duration::from_millis(100) };
        let steering = Steering::new(half, 1, 12);
        let delay = |to| steering.delay(candidate(to, 1).point).as_millis();
        assert_eq!((0..12).map(delay).collect::<Vec<_>>(), [44, 0, 87, 0, 0, 76, 10, 81, 0, 0, 0, 0]);
    }

    #[test]
    fn priorities_give_way_where_a_run_does_not_end() {
        let of_first_arrivals = |length| picks(Policy::Pct { depth: 1 }, 1, length);
        let (fair, unfair) = (of_first_arrivals(1), of_first_arrivals(12));
        assert_eq!(fair[..8], unfair[..8]);
        assert_ne!(fair, unfair);
    }
}
