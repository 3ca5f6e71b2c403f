//! Outstanding publishes against a model of the broker, which answers in any order, and of lapin, which attaches returns to the wrong confirms.

use std::collections::{BTreeMap, VecDeque};

use fastrand::Rng;
use tavrida::field::{ShortString, Table, Value};
use tavrida::transport::Publication;

use super::outstanding::{Confirm, Outcome, Outstanding, Slot};

/// A message, distinguished from its twins by a number that is not on the wire.
#[derive(Debug, Clone)]
struct Message {
    number: usize,
    publication: Publication,
}

impl AsRef<Publication> for Message {
    fn as_ref(&self) -> &Publication {
        &self.publication
    }
}

fn message(number: usize, body: impl Into<String>) -> Message {
    let key = ShortString::from_static("key");
    Message { number, publication: Publication::new(ShortString::default(), key, body.into()) }
}

fn confirmed(slot: Slot, carried: Option<&Message>) -> Confirm {
    let carried = carried.map(|sent| Publication { mandatory: false, ..sent.publication.clone() });
    Confirm { slot, ack: true, carried }
}

fn outcomes(outstanding: &mut Outstanding<Message>, confirms: Vec<Confirm>) -> BTreeMap<usize, Outcome> {
    let (mut confirms, mut decided) = (confirms, Vec::new());
    outstanding.confirm(&mut confirms, &mut decided);
    decided.into_iter().map(|(sent, outcome)| (sent.number, outcome)).collect()
}

/// Adds messages with different bodies.
fn entered<const N: usize>(outstanding: &mut Outstanding<Message>) -> ([Message; N], [Slot; N]) {
    let sent = std::array::from_fn(|number| message(number, number.to_string()));
    let slots = sent.each_ref().map(|sent| outstanding.add(sent.clone()));
    (sent, slots)
}

#[test]
fn a_return_on_a_foreign_confirm_finds_its_message() {
    let mut outstanding = Outstanding::default();
    let ([_, lost], [first, second]) = entered(&mut outstanding);
    // The return of the second message came before the first one's ack, which took it.
    let decided = outcomes(&mut outstanding, vec![confirmed(first, Some(&lost))]);
    assert_eq!(decided, BTreeMap::new(), "the first is in doubt: its own return may be in the queue");
    let decided = outcomes(&mut outstanding, vec![confirmed(second, None)]);
    assert_eq!(decided, BTreeMap::from([(0, Outcome::Routed), (1, Outcome::Unroutable)]));
}

#[test]
fn a_return_that_waits_in_the_queue_is_not_missed() {
    let mut outstanding = Outstanding::default();
    let ([lost, also_lost, _], [first, second, third]) = entered(&mut outstanding);
    // Queue: first, second. The ack of the second takes the first one's return, that of the first the second one's.
    assert_eq!(outcomes(&mut outstanding, vec![confirmed(second, Some(&lost))]), BTreeMap::new());
    let decided = outcomes(&mut outstanding, vec![confirmed(first, Some(&also_lost))]);
    assert_eq!(decided, BTreeMap::from([(0, Outcome::Unroutable), (1, Outcome::Unroutable)]));
    assert_eq!(
        outcomes(&mut outstanding, vec![confirmed(third, None)]),
        BTreeMap::from([(2, Outcome::Routed)])
    );
}

#[test]
fn a_doubt_ends_with_later_traffic_though_an_older_publish_never_resolves() {
    let mut outstanding = Outstanding::default();
    let ([_, _, lost], [_stuck, doubtful, unroutable]) = entered(&mut outstanding);
    assert_eq!(outcomes(&mut outstanding, vec![confirmed(doubtful, Some(&lost))]), BTreeMap::new());
    let decided = outcomes(&mut outstanding, vec![confirmed(unroutable, None)]);
    assert_eq!(decided, BTreeMap::from([(2, Outcome::Unroutable)]), "it was under way when the doubt began");
    let later = outstanding.add(message(3, "later"));
    let decided = outcomes(&mut outstanding, vec![confirmed(later, None)]);
    assert_eq!(decided, BTreeMap::from([(1, Outcome::Routed), (3, Outcome::Routed)]));
    assert_eq!(outstanding.len(), 1);
}

#[test]
fn a_message_that_was_not_mandatory_is_never_in_doubt() {
    let mut outstanding = Outstanding::default();
    let lost = message(1, "lost");
    let mut unheard = message(0, "lost");
    unheard.publication.mandatory = false;
    let slot = outstanding.add(unheard);
    outstanding.add(lost.clone());
    assert_eq!(
        outcomes(&mut outstanding, vec![confirmed(slot, Some(&lost))]),
        BTreeMap::from([(0, Outcome::Routed)])
    );
}

#[test]
fn messages_that_differ_in_a_header_alone_are_told_apart() {
    let mut outstanding = Outstanding::default();
    let with = |number: usize, value: Value| {
        let mut sent = message(number, "same");
        sent.publication.properties.headers = Some(
            Table::new()
                .with(ShortString::from_static("h"), value)
                .with(ShortString::from_static("BCC"), vec![]),
        );
        sent
    };
    let slots = [1, 2, 3].map(|number| outstanding.add(with(number, Value::I32(number as i32))));
    // The broker removes BCC.
    let mut returned = with(2, Value::I32(2));
    returned.publication.properties.headers.as_mut().unwrap().remove("BCC");
    let confirms =
        vec![confirmed(slots[2], Some(&returned)), confirmed(slots[0], None), confirmed(slots[1], None)];
    let expected = [(1, Outcome::Routed), (2, Outcome::Unroutable), (3, Outcome::Routed)];
    assert_eq!(outcomes(&mut outstanding, confirms), BTreeMap::from(expected));
}

#[test]
fn a_header_that_is_unequal_to_itself_is_matched_by_the_rest() {
    let mut outstanding = Outstanding::default();
    let mut odd = message(0, "odd");
    odd.publication.properties.headers = Some(Table::new().with(ShortString::from_static("h"), f64::NAN));
    let slots = [outstanding.add(message(1, "plain")), outstanding.add(odd.clone())];
    let confirms = vec![confirmed(slots[0], Some(&odd)), confirmed(slots[1], None)];
    let expected = [(0, Outcome::Unroutable), (1, Outcome::Routed)];
    assert_eq!(outcomes(&mut outstanding, confirms), BTreeMap::from(expected));
}

#[test]
fn what_has_no_outcome_comes_out_in_the_order_of_publishing() {
    let mut outstanding = Outstanding::default();
    let (_, slots) = entered::<3>(&mut outstanding);
    outcomes(&mut outstanding, vec![confirmed(slots[1], None)]);
    for number in [3, 4] {
        outstanding.add(message(number, ""));
    }
    let left: Vec<_> = outstanding.take_all().into_iter().map(|sent| sent.number).collect();
    assert_eq!(left, [0, 2, 3, 4]);
    assert_eq!(outstanding.len(), 0);
}

/// A model of the broker and lapin: publishes go in, confirms come out with returns attached to any of them.
struct Model {
    dice: Rng,
    /// Published, not processed by the broker yet.
    arriving: VecDeque<(Slot, Message, Outcome)>,
    /// Processed, and returned if that was due; not answered yet.
    open: Vec<(Slot, Outcome)>,
    /// lapin's queue.
    returns: VecDeque<Publication>,
    /// Resolved, not yet read.
    resolved: VecDeque<Confirm>,
}

impl Model {
    fn new(dice: Rng) -> Self {
        let (arriving, open, returns, resolved) = Default::default();
        Self { dice, arriving, open, returns, resolved }
    }

    fn publish(&mut self, slot: Slot, sent: Message, outcome: Outcome) {
        self.arriving.push_back((slot, sent, outcome));
    }

    /// The broker processes some of what arrived, in order.
    fn process(&mut self) {
        let count = self.dice.usize(0..=self.arriving.len());
        for (slot, sent, outcome) in self.arriving.drain(..count) {
            if outcome == Outcome::Unroutable {
                self.returns.push_back(Publication { mandatory: false, ..sent.publication });
            }
            self.open.push((slot, outcome));
        }
    }

    /// The broker answers one, or, with `multiple`, some of the oldest, which lapin resolves in no particular order.
    fn answer(&mut self) {
        if self.open.is_empty() {
            return;
        }
        let mut answered = match self.dice.bool() {
            true => vec![self.open.remove(self.dice.usize(..self.open.len()))],
            false => self.open.drain(..self.dice.usize(0..=self.open.len())).collect(),
        };
        self.dice.shuffle(&mut answered);
        for (slot, outcome) in answered {
            let carried = self.returns.pop_front();
            self.resolved.push_back(Confirm { slot, ack: outcome != Outcome::Nacked, carried });
        }
    }

    /// Reads a closed set: all that resolved up to some point, in no particular order.
    fn read(&mut self) -> Vec<Confirm> {
        let count = self.dice.usize(0..=self.resolved.len());
        let mut read: Vec<_> = self.resolved.drain(..count).collect();
        self.dice.shuffle(&mut read);
        read
    }
}

fn seed() -> u64 {
    let given = std::env::var("TAVRIDA_SEED").ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| Rng::new().u64(..))
}

/// Publishes `total` messages in a window and checks each outcome against the truth.
fn run(seed: u64, total: usize, unroutable: f64, twins: bool) {
    let mut dice = Rng::with_seed(seed);
    let window = dice.usize(1..200);
    let mut model = Model::new(dice.fork());
    let mut outstanding = Outstanding::default();
    let (mut expected, mut told) = (BTreeMap::new(), BTreeMap::new());
    while told.len() < total {
        while expected.len() < total && outstanding.len() < window && dice.f64() < 0.8 {
            let outcome = match dice.f64() {
                roll if roll < unroutable => Outcome::Unroutable,
                roll if roll > 0.95 => Outcome::Nacked,
                _ => Outcome::Routed,
            };
            let number = expected.len();
            // Twins have the same outcome: they are routed alike at the same time.
            let body = if twins { format!("{outcome:?}") } else { number.to_string() };
            let sent = message(number, body);
            expected.insert(number, outcome);
            model.publish(outstanding.add(sent.clone()), sent, outcome);
        }
        model.process();
        model.answer();
        let read = model.read();
        for (number, outcome) in outcomes(&mut outstanding, read) {
            assert_eq!(told.insert(number, outcome), None, "seed {seed}: {number} is decided twice");
        }
    }
    let wrong = expected.iter().filter(|(number, outcome)| told.get(number) != Some(outcome)).count();
    assert_eq!(wrong, 0, "TAVRIDA_SEED={seed}: of {total}, window {window}");
    assert_eq!(outstanding.len(), 0);
}

#[test]
fn every_outcome_is_true_in_whatever_order_answers_come() {
    let first = seed();
    for round in 0..300_u64 {
        let unroutable = [0.0, 0.02, 0.5, 0.9, 1.0][round as usize % 5];
        run(first.wrapping_add(round), 600, unroutable, round % 7 == 0);
    }
}
