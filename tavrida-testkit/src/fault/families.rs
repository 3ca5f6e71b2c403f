//! [`Faults`]: the faults that a run may draw at random, and their rates.

use std::fmt;
use std::time::Duration;

use super::{Family, Fault, Point};
use crate::random::{hash, join, scale};

/// The faults that a run may draw at random, their rates, and how long they happen.
///
/// The fault at a [`Point`] depends on the seed and the point only, not on a sequence: changing a run at one place keeps its faults at all
/// other places. One seed with fewer families, or with another [`until`](Faults::until), keeps the remaining faults at the same places.
///
/// They happen to services; clients, which are the test's own hands, are spared unless it [asks for them](Faults::on_clients). What concerns
/// the broker as a whole, such as its restart, ends the sessions of clients too.
///
/// A run is a fault phase and then a healing phase, in which nothing goes wrong. The healing phase begins at the end of the scenario, or
/// earlier at [`until`](Faults::until). At the end of the scenario partitions heal and killed processes restart; the run must then become
/// quiescent, or it fails.
///
/// ```
/// use tavrida_testkit::fault::{Family, Faults};
///
/// let some = Faults::any().without(Family::ClockJump).at_most(2);
/// let one = Faults::none().with(Family::ConfirmLost, 0.1);
/// assert!(Faults::none().is_none() && !one.is_none() && some != one);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults {
    /// The rate of each family, in millionths.
    rates: [u32; Family::ALL.len()],
    swarm: bool,
    clients: bool,
    most: Option<u32>,
    until: Option<Duration>,
}

const MILLION: u32 = 1_000_000;

impl Faults {
    /// Disables random faults: only scripted faults happen.
    pub const fn none() -> Self {
        Self { rates: [0; Family::ALL.len()], swarm: false, clients: false, most: None, until: None }
    }

    /// Enables all families as a [`swarm`](Faults::swarm), each at a rate that leaves most messages alone.
    pub fn any() -> Self {
        Self::those(|_| true)
    }

    /// As [`any`](Faults::any), but only what a service with at-least-once handling must survive. This leaves out the families that remove
    /// a message by the settings of the queue ([`Expired`](Family::Expired), [`Overflow`](Family::Overflow)) or before the queue exists
    /// ([`LateStart`](Family::LateStart)), and [`ClockJump`](Family::ClockJump), which does not concern messages.
    pub fn at_least_once() -> Self {
        Self::those(Family::is_borne_at_least_once)
    }

    fn those(wanted: impl Fn(Family) -> bool) -> Self {
        let rates = Family::ALL.map(|family| if wanted(family) { family.usual_rate() } else { 0 });
        Self { rates, swarm: true, ..Self::none() }
    }

    /// Enables one family alone, at the rate that [`any`](Faults::any) uses.
    pub fn only(family: Family) -> Self {
        Self { swarm: false, ..Self::those(|other| other == family) }
    }

    /// Adds a family at this rate: the share of its opportunities at which it happens, from 0 to 1.
    ///
    /// # Panics
    ///
    /// Panics if the rate is not a number from 0 to 1.
    #[must_use = "the faults come back with the family"]
    #[track_caller]
    pub fn with(mut self, family: Family, rate: f64) -> Self {
        assert!((0.0..=1.0).contains(&rate), "the rate of '{family}' is {rate}, and not from 0 to 1");
        // In range, and as exact as a rate needs to be.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is from 0 to a million"
        )]
        let rate = (rate * f64::from(MILLION)).round() as u32;
        self.rates[family as usize] = rate;
        self
    }

    /// Removes a family.
    #[must_use = "the faults come back without the family"]
    pub fn without(mut self, family: Family) -> Self {
        self.rates[family as usize] = 0;
        self
    }

    /// Lets faults happen to clients as well: a client's sends may fail, its asks may end unanswered, and it may be cut off.
    #[must_use = "the faults come back with the clients"]
    pub fn on_clients(mut self) -> Self {
        self.clients = true;
        self
    }

    /// Limits a run to its first `faults` faults.
    #[must_use = "the faults come back with the limit"]
    pub fn at_most(mut self, faults: u32) -> Self {
        self.most = Some(faults);
        self
    }

    /// Limits faults to the first `time` of a run, in virtual time. Afterwards the run heals.
    #[must_use = "the faults come back with the limit"]
    pub fn until(mut self, time: Duration) -> Self {
        self.until = Some(time);
        self
    }

    /// Enables a subset of the families for each seed, half of them on average: some runs see a few kinds of fault alone, which other kinds
    /// would hide. [`any`](Faults::any) and [`at_least_once`](Faults::at_least_once) already do so.
    #[must_use = "the faults come back as a swarm"]
    pub fn swarm(mut self) -> Self {
        self.swarm = true;
        self
    }

    /// Enables all families for each seed.
    #[must_use = "the faults come back as no swarm"]
    pub fn no_swarm(mut self) -> Self {
        self.swarm = false;
        self
    }

    /// Returns whether no fault can happen.
    pub fn is_none(&self) -> bool {
        self.most == Some(0) || self.rates.iter().all(|rate| *rate == 0)
    }

    /// Returns the families that can happen in the run of a seed.
    pub fn families(&self, seed: u64) -> impl Iterator<Item = Family> {
        Family::ALL
            .into_iter()
            .filter(move |family| self.rates[*family as usize] > 0 && self.is_on(*family, seed))
    }

    fn is_on(&self, family: Family, seed: u64) -> bool {
        const SWARM: u64 = hash(b"swarm");
        !self.swarm || join(join(seed, SWARM), family.salt()) & 1 == 0
    }

    /// Returns whether faults happen to clients.
    pub(crate) fn are_on_clients(&self) -> bool {
        self.clients
    }

    /// Returns whether a run that already had `had` faults may have one more at virtual time `at`.
    pub(crate) fn are_left(&self, had: u32, at: Duration) -> bool {
        self.most.is_none_or(|most| had < most) && self.until.is_none_or(|until| at < until)
    }

    /// Returns the fault at a point in the run of a seed, among those that `can` accepts. One point has the same fault in each run of the
    /// seed, whatever else happens.
    pub(crate) fn at(&self, seed: u64, point: Point, can: impl Fn(Fault) -> bool) -> Option<Fault> {
        let place = join(join(seed, point.key), join(point.site as u64, u64::from(point.nth)));
        Family::at(point.site).iter().find_map(|family| {
            let rate = self.rates[*family as usize];
            if rate == 0 {
                return None;
            }
            let bits = join(place, family.salt());
            if scale(bits, u64::from(MILLION)) >= u64::from(rate) || !self.is_on(*family, seed) {
                return None;
            }
            Some(family.fault(join(bits, 0))).filter(|fault| can(*fault))
        })
    }
}

impl Default for Faults {
    fn default() -> Self {
        Self::none()
    }
}

impl fmt::Display for Faults {
    /// Writes the families with their rates in percent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut some = false;
        for family in Family::ALL {
            let rate = self.rates[family as usize];
            if rate > 0 {
                let percent = f64::from(rate) / 10_000.0;
                write!(f, "{}{family} {percent}%", if some { ", " } else { "" })?;
                some = true;
            }
        }
        if some { Ok(()) } else { f.write_str("none") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Site;

    fn point(key: u64) -> Point {
        Point { site: Site::Publish, key, nth: 1 }
    }

    fn hits(faults: &Faults, seed: u64) -> Vec<u64> {
        (0..10_000).filter(|key| faults.at(seed, point(*key), |_| true).is_some()).collect()
    }

    #[test]
    fn a_rate_is_how_often_a_family_strikes() {
        let faults = Faults::none().with(Family::Nacked, 0.1);
        let hits = hits(&faults, 1).len();
        assert!((800..1200).contains(&hits), "{hits} of 10,000 at one in ten");
        assert!(Faults::none().with(Family::Nacked, 1.0).at(1, point(7), |_| true).is_some());
    }

    #[test]
    fn a_family_more_leaves_the_places_of_another_as_they_are() {
        let one = hits(&Faults::none().with(Family::PublishLost, 0.05), 3);
        let both = Faults::none().with(Family::PublishLost, 0.05).with(Family::Nacked, 0.05);
        let lost: Vec<u64> =
            (0..10_000).filter(|key| both.at(3, point(*key), |_| true) == Some(Fault::PublishLost)).collect();
        assert_eq!(one, lost);
        assert_eq!(hits(&both.without(Family::Nacked), 3), one);
    }

    #[test]
    fn seeds_differ_and_a_swarm_has_half_of_the_families() {
        let any = Faults::any();
        let counts: Vec<usize> = (0..100).map(|seed| any.families(seed).count()).collect();
        let sum: usize = counts.iter().sum();
        assert!((1000..1500).contains(&sum), "{sum} families in 100 seeds of 26 each");
        assert_ne!(any.families(1).collect::<Vec<_>>(), any.families(2).collect::<Vec<_>>());
        assert_eq!(any.no_swarm().families(1).count(), Family::ALL.len());
    }

    #[test]
    fn limits_are_in_number_and_in_time() {
        let few = Faults::any().at_most(2).until(Duration::from_secs(5));
        assert!(few.are_left(1, Duration::from_secs(4)));
        assert!(!few.are_left(2, Duration::ZERO));
        assert!(!few.are_left(0, Duration::from_secs(5)));
        assert!(Faults::any().at_most(0).is_none());
    }

    #[test]
    fn they_are_told_with_their_rates() {
        let two = Faults::none().with(Family::Mute, 0.005).with(Family::Nacked, 1.0);
        assert_eq!(two.to_string(), "nacked 100%, mute 0.5%");
        assert_eq!(Faults::none().to_string(), "none");
    }

    #[test]
    #[should_panic(expected = "the rate of 'nacked' is 1.5, and not from 0 to 1")]
    fn a_rate_above_one_is_refused() {
        let _ = Faults::none().with(Family::Nacked, 1.5);
    }
}
