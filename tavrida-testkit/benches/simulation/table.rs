//! One line for each measurement: the value, the goal, the floor, and how much of the goal is reached.

/// A line of the table.
pub(crate) struct Row {
    what: &'static str,
    measured: f64,
    goal: f64,
    floor: Option<f64>,
    /// Whether less is better.
    less: bool,
}

/// A value that should be at least `goal`.
pub(crate) fn at_least(what: &'static str, measured: f64, goal: f64) -> Row {
    Row { what, measured, goal, floor: None, less: false }
}

/// A value that should be at most `goal`.
pub(crate) fn at_most(what: &'static str, measured: f64, goal: f64) -> Row {
    Row { what, measured, goal, floor: None, less: true }
}

impl Row {
    pub(crate) fn head() {
        println!("{:<52} {:>10} {:>9} {:>9}  reached", "", "measured", "goal", "floor");
    }

    /// Sets the limit beyond which we do not ship.
    pub(crate) fn floor(mut self, floor: f64) -> Self {
        self.floor = Some(floor);
        self
    }

    pub(crate) fn print(&self) {
        let Self { what, measured, goal, .. } = self;
        let reached = if self.less { goal / measured } else { measured / goal };
        let floor = self.floor.map_or_else(|| "-".to_owned(), |floor| format!("{floor:.0}"));
        let verdict = match self.floor {
            _ if reached >= 1.0 => "",
            Some(floor) if *measured < floor => ", below the floor",
            _ => ", below the goal",
        };
        println!("{what:<52} {measured:>10.1} {goal:>9.0} {floor:>9}  {:.0} %{verdict}", reached * 100.0);
    }
}
