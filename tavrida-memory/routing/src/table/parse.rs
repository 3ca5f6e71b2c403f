//! Parses tables.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use crate::message::Message;
use crate::table::{RoutingTable, Row};
use crate::value::Value;

/// An error in the text of a table, with its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableError {
    text: String,
}

impl TableError {
    fn at(line: usize, problem: impl fmt::Display) -> Self {
        Self { text: format!("line {line}: {problem}") }
    }

    pub(super) fn file(path: &Path, error: impl fmt::Display) -> Self {
        Self { text: format!("{}: {error}", path.display()) }
    }
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for TableError {}

const COLUMNS: [&str; 4] = ["exchange", "key", "headers", "queues"];

pub(super) fn markdown(text: &str) -> Result<RoutingTable, TableError> {
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    let cells = |(number, line): (usize, &str)| {
        let inner = line.strip_prefix('|')?;
        Some((number, split(inner.strip_suffix('|').unwrap_or(inner), '|')))
    };
    let is_rule = |cells: &[String]| {
        cells.iter().all(|cell| !cell.is_empty() && cell.chars().all(|c| matches!(c, '-' | ':')))
    };
    table(lines.filter_map(cells).filter(|(_, cells)| !is_rule(cells)))
}

pub(super) fn csv(text: &str) -> Result<RoutingTable, TableError> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut records = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| {
            let line = error.position().map_or(0, csv::Position::line);
            TableError::at(usize::try_from(line).unwrap_or(0), &error)
        })?;
        let line = record.position().map_or(0, csv::Position::line);
        records.push((usize::try_from(line).unwrap_or(0), record.iter().map(str::to_owned).collect()));
    }
    table(records.into_iter())
}

/// A heading and its rows.
fn table(mut lines: impl Iterator<Item = (usize, Vec<String>)>) -> Result<RoutingTable, TableError> {
    let Some((number, heading)) = lines.next() else {
        return Err(TableError::at(
            1,
            format_args!("found no table, expected one with the columns {}", COLUMNS.join(", ")),
        ));
    };
    let mut places = [None; 4];
    for (place, name) in heading.iter().enumerate() {
        let column = COLUMNS.iter().position(|column| column.eq_ignore_ascii_case(name));
        let column = column.ok_or_else(|| {
            TableError::at(number, format_args!("found column '{name}', expected {}", COLUMNS.join(", ")))
        })?;
        if places[column].replace(place).is_some() {
            return Err(TableError::at(number, format_args!("column '{name}' appears twice")));
        }
    }
    for (column, place) in COLUMNS.iter().zip(places) {
        if place.is_none() && *column != "headers" {
            return Err(TableError::at(number, format_args!("there is no column '{column}'")));
        }
    }
    let mut rows = Vec::new();
    for (number, cells) in lines {
        if cells.len() != heading.len() {
            let problem = format!("found {} cells, expected {}", cells.len(), heading.len());
            return Err(TableError::at(number, problem));
        }
        let cell = |column: usize| places[column].map_or("", |place| cells[place].as_str());
        rows.push(row(number, [cell(0), cell(1), cell(2), cell(3)])?);
    }
    if rows.is_empty() {
        return Err(TableError::at(number, "the table has no rows"));
    }
    Ok(RoutingTable { rows })
}

fn row(line: usize, [exchange, key, headers, queues]: [&str; 4]) -> Result<Row, TableError> {
    let wrong = |problem: String| TableError::at(line, problem);
    let mut message = Message::new(unquoted(exchange).map_err(wrong)?, unquoted(key).map_err(wrong)?);
    for item in split(headers, ',').iter().filter(|item| !item.is_empty()) {
        let Some((name, value)) = item.split_once('=') else {
            return Err(wrong(format!("found header '{item}', expected name=value")));
        };
        let value = value_of(value.trim()).map_err(wrong)?;
        message = message.header(unquoted(name.trim()).map_err(wrong)?, value);
    }
    let mut names = BTreeSet::new();
    for item in split(queues, ',').iter().filter(|item| !item.is_empty() && *item != "-") {
        names.insert(unquoted(item).map_err(wrong)?);
    }
    Ok(Row { message, queues: names, line: Some(line) })
}

/// Splits at separators that are outside quotes and not escaped.
fn split(text: &str, separator: char) -> Vec<String> {
    let mut cells = vec![String::new()];
    let (mut quoted, mut escaped) = (false, false);
    for character in text.chars() {
        let last = cells.last_mut().expect("there is always a cell");
        if escaped && character != separator {
            last.push('\\');
        }
        match character {
            '\\' if !escaped => {
                escaped = true;
                continue;
            }
            _ if character == separator && !escaped && (!quoted || separator == '|') => {
                cells.push(String::new())
            }
            _ => {
                quoted ^= character == '"' && !escaped;
                last.push(character);
            }
        }
        escaped = false;
    }
    cells.into_iter().map(|cell| cell.trim().to_owned()).collect()
}

/// Parses a name: plain, in back quotes, or as a JSON string.
fn unquoted(text: &str) -> Result<String, String> {
    let text = text.strip_prefix('`').and_then(|text| text.strip_suffix('`')).unwrap_or(text);
    if !text.starts_with('"') {
        return Ok(text.to_owned());
    }
    serde_json::from_str(text).map_err(|_| format!("found {text}, expected a text in quotes"))
}

fn value_of(text: &str) -> Result<Value, String> {
    if text == "void" {
        return Ok(Value::Void);
    }
    match serde_json::from_str(text) {
        Ok(serde_json::Value::Bool(truth)) => Ok(truth.into()),
        Ok(serde_json::Value::Number(number)) => {
            let integer = number.as_i64().map(Value::from);
            integer
                .or_else(|| number.as_f64().map(Value::from))
                .ok_or_else(|| format!("found {text}, expected a number of 64 bits"))
        }
        _ => unquoted(text).map(Value::from),
    }
}

/// Formats a name for a table: in quotes if it would be read differently.
pub(super) fn quoted(name: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "._-#*:/@".contains(c);
    if name == "-" || !name.chars().all(is_plain) {
        serde_json::Value::from(name).to_string()
    } else {
        name.to_owned()
    }
}

/// Parses a value.
pub(super) fn quoted_text(text: &str) -> String {
    let plain = quoted(text);
    if value_of(&plain) == Ok(Value::from(text)) { plain } else { serde_json::Value::from(text).to_string() }
}
