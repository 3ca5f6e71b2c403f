//! [`RoutingTable`]: expected routes as a table, in code or as a Markdown or CSV file.

mod parse;

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use crate::decide::{Classes, Cut, Decided};
use crate::keys::Limits;
use crate::message::Message;
use crate::routing::Hop;
use crate::topology::Topology;
use crate::value::Value;

pub use parse::TableError;

/// Messages with the queues that each must reach: exactly these.
///
/// ```
/// use tavrida_routing::{Exchange, Queue, RoutingTable, Topology};
///
/// let topology = Topology::builder()
///     .exchange(Exchange::topic("orders"))
///     .queue(Queue::new("billing"))
///     .bind_queue("billing", "orders", "order.*.paid")
///     .build()?;
///
/// let table = RoutingTable::parse_markdown("
///     | exchange | key            | headers | queues  |
///     |----------|----------------|---------|---------|
///     | orders   | order.7.paid   |         | billing |
///     | orders   | order.7.placed |         |         |
/// ")?;
/// table.check(&topology)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RoutingTable {
    rows: Vec<Row>,
}

#[derive(Debug, Clone, PartialEq)]
struct Row {
    message: Message,
    queues: BTreeSet<String>,
    /// The line of the file.
    line: Option<usize>,
}

impl RoutingTable {
    /// Returns a table without rows.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a row.
    #[must_use = "the table comes back with the row"]
    pub fn row<'q>(mut self, message: Message, queues: impl IntoIterator<Item = &'q str>) -> Self {
        let queues = queues.into_iter().map(str::to_owned).collect();
        self.rows.push(Row { message, queues, line: None });
        self
    }

    /// Parses a Markdown table with the columns `exchange`, `key`, `headers` and `queues`, in any order; `headers` is optional.
    ///
    /// Headers are `name=value` and queues are names, both separated by commas. A value is JSON if it is a number, `true`, `false` or a
    /// text in quotes, and plain text otherwise. A message without queues must be returned. Text outside the table is ignored.
    ///
    /// # Errors
    ///
    /// Names the line, the cell and what was expected. A text without rows is an error.
    pub fn parse_markdown(text: &str) -> Result<Self, TableError> {
        parse::markdown(text)
    }

    /// Parses a CSV table with the columns of [`parse_markdown`](Self::parse_markdown). A cell with commas must be in quotes.
    ///
    /// # Errors
    ///
    /// As [`parse_markdown`](Self::parse_markdown).
    pub fn parse_csv(text: &str) -> Result<Self, TableError> {
        parse::csv(text)
    }

    /// Reads a file: CSV if its name ends with `.csv`, otherwise Markdown.
    ///
    /// # Errors
    ///
    /// As [`parse_markdown`](Self::parse_markdown); the error names the file.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, TableError> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|error| TableError::file(path, error))?;
        let is_csv = path.extension().is_some_and(|extension| extension == "csv");
        let table = if is_csv { Self::parse_csv(&text) } else { Self::parse_markdown(&text) };
        table.map_err(|error| TableError::file(path, error))
    }

    /// Returns the whole table of a topology: for each exchange that clients publish to, each set of queues that a message can reach, with
    /// the shortest message. In a file it is a snapshot for comparisons.
    pub fn of(topology: &Topology) -> Decided<Self> {
        let mut rows: Vec<Row> = Vec::new();
        let mut cuts: Vec<Cut> = Vec::new();
        for entry in topology.entries() {
            let classes = Classes::of(&[topology], entry, &[], Limits::default(), None);
            let mut seen = BTreeSet::new();
            for class in &classes.classes {
                let reach = classes.reach(0, entry, class);
                let queues: BTreeSet<String> = reach.queues.into_iter().map(str::to_owned).collect();
                if seen.insert(queues.clone()) {
                    rows.push(Row { message: class.message.clone(), queues, line: None });
                }
            }
            cuts.extend(classes.cuts);
        }
        Decided { found: Self { rows }, cuts }
    }

    /// Returns the number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Returns whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Returns the messages, in the order of the rows.
    pub fn messages(&self) -> impl Iterator<Item = &Message> {
        self.rows.iter().map(|row| &row.message)
    }

    /// Compares each row with a topology.
    ///
    /// # Errors
    ///
    /// All rows that differ: the missing queues, each with the reason why the message does not reach it, and the additional ones, each with
    /// the bindings that led there.
    pub fn check(&self, topology: &Topology) -> Result<(), TableMismatch> {
        let mut failures = Vec::new();
        for (index, row) in self.rows.iter().enumerate() {
            let problems = match topology.route(&row.message) {
                Err(refusal) => vec![format!("the node refuses it: {refusal}")],
                Ok(routing) => {
                    let missing = row.queues.iter().filter_map(|queue| {
                        let why = routing.why_not(queue)?;
                        Some(format!("misses queue '{queue}': {why}"))
                    });
                    let surplus =
                        routing.queues().filter(|queue| !row.queues.contains(*queue)).map(|queue| {
                            let ways = routing.via(queue).iter().map(|path| {
                                path.iter().map(Hop::to_string).collect::<Vec<_>>().join(", then ")
                            });
                            format!("reaches queue '{queue}' too: {}", ways.collect::<Vec<_>>().join("; "))
                        });
                    missing.chain(surplus).collect()
                }
            };
            if !problems.is_empty() {
                let line = row.line.map(|line| format!(" (line {line})")).unwrap_or_default();
                failures.push(format!(
                    "row {}{line}: {}\n  {}",
                    index + 1,
                    row.message,
                    problems.join("\n  ")
                ));
            }
        }
        if failures.is_empty() {
            return Ok(());
        }
        Err(TableMismatch { rows: self.rows.len(), failures })
    }
}

/// The rows of a [`RoutingTable`] that a topology violates. Its `Display` output is the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableMismatch {
    rows: usize,
    failures: Vec<String>,
}

impl TableMismatch {
    /// Returns the number of rows that differ.
    pub fn count(&self) -> usize {
        self.failures.len()
    }
}

impl fmt::Display for TableMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} rows differ", self.failures.len(), self.rows)?;
        self.failures.iter().try_for_each(|failure| write!(f, "\n{failure}"))
    }
}

impl std::error::Error for TableMismatch {}

impl fmt::Display for RoutingTable {
    /// Formats it as Markdown, which [`parse_markdown`](Self::parse_markdown) reads.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| exchange | key | headers | queues |")?;
        writeln!(f, "|---|---|---|---|")?;
        for Row { message, queues, .. } in &self.rows {
            let headers = message
                .headers
                .iter()
                .map(|(name, value)| format!("{}={}", parse::quoted(name), header(value)));
            let queues = queues.iter().map(|queue| parse::quoted(queue));
            let cells = [
                parse::quoted(&message.exchange),
                parse::quoted(&message.key),
                headers.collect::<Vec<_>>().join(", "),
                queues.collect::<Vec<_>>().join(", "),
            ];
            writeln!(f, "| {} |", cells.map(|cell| cell.replace('|', "\\|")).join(" | "))?;
        }
        Ok(())
    }
}

/// Formats a header value for a table. Numbers lose their type, and values that JSON lacks become text.
fn header(value: &Value) -> String {
    match value {
        Value::LongString(text) => parse::quoted_text(text),
        // A headers exchange treats bytes and text as equal.
        Value::Bytes(bytes) => parse::quoted_text(&String::from_utf8_lossy(bytes)),
        Value::Void => "void".to_owned(),
        other => other.to_string(),
    }
}
