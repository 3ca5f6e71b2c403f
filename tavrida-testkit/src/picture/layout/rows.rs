//! [`Rows`]: the current height of the picture.

use std::time::Duration;

use super::Fold;

/// The height of a row.
const ROW: i32 = 26;
/// Time up to this is drawn to scale; longer time is folded.
const FOLDED: Duration = Duration::from_millis(100);
/// The height of a fold.
const FOLD: i32 = 34;

/// The rows so far.
#[derive(Default)]
pub(super) struct Rows {
    /// The height of the latest row.
    pub(super) y: i32,
    at: Option<Duration>,
    /// The occupied ranges of the latest row, if it can hold more.
    taken: Option<Vec<(i32, i32)>>,
    pub(super) times: Vec<(i32, Duration)>,
    pub(super) folds: Vec<Fold>,
}

impl Rows {
    pub(super) fn is_empty(&self) -> bool {
        self.at.is_none()
    }

    /// Starts a new row.
    pub(super) fn next(&mut self, at: Duration) -> i32 {
        self.taken = None;
        let passed = self.at.map(|before| at.saturating_sub(before));
        self.y += ROW;
        match passed {
            Some(passed) if passed >= FOLDED => {
                let from = self.y - ROW / 2 - 4;
                self.folds.push(Fold { from, to: from + FOLD, time: passed });
                self.y += FOLD;
            }
            Some(passed) => self.y += i32::try_from(passed.as_millis() / 5).expect("a short time"),
            None => {}
        }
        if passed != Some(Duration::ZERO) {
            self.times.push((self.y, at));
        }
        self.at = Some(at);
        self.y
    }

    /// Returns the latest row if it has free space in this range and has this time; otherwise a new one.
    pub(super) fn beside(&mut self, at: Duration, from: i32, to: i32) -> i32 {
        let is_free = |taken: &Vec<(i32, i32)>| taken.iter().all(|(left, right)| to < *left || *right < from);
        if self.at != Some(at) || !self.taken.as_ref().is_some_and(is_free) {
            self.next(at);
        }
        self.taken.get_or_insert_default().push((from, to));
        self.y
    }

    /// Returns the height of the picture.
    pub(super) fn end(&self) -> i32 {
        self.y + ROW + ROW / 2
    }
}
