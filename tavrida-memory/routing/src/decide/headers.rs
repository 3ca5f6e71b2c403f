//! Header tables that represent all others at the headers exchanges of a graph.

use std::collections::{BTreeMap, BTreeSet};

use crate::criteria::{Criteria, equal};
use crate::value::{Table, Value};

/// Tables, the smallest first, and whether every table is like one of them.
pub(crate) struct HeaderTables {
    pub(crate) tables: Vec<Table>,
    pub(crate) complete: bool,
}

/// A value that a binding requires, and whether it compares numbers by type.
type Wanted<'c> = (&'c Value, bool);

/// Returns one table for each way in which these criteria can hold: each name that occurs is missing, has a value for each set of wanted
/// values that are equal to one, or another value.
pub(crate) fn tables<'c>(criteria: impl Iterator<Item = &'c Criteria>, limit: usize) -> HeaderTables {
    let all: Vec<&Criteria> = criteria.collect();
    let mut wanted: BTreeMap<&str, Vec<Wanted<'_>>> = BTreeMap::new();
    for criteria in &all {
        for (name, value) in &criteria.wanted {
            wanted.entry(name).or_default().push((value, criteria.by_type));
        }
    }
    let mut tables = vec![Table::new()];
    for (name, wanted) in &wanted {
        let values = representatives(wanted);
        let longer: Vec<Table> = tables
            .iter()
            .flat_map(|table| values.iter().map(|value| table.clone().with(*name, value.clone())))
            .collect();
        tables.extend(longer);
        if tables.len() > limit {
            tables.truncate(limit);
            // At least each binding is hit.
            tables.extend(all.iter().map(|criteria| example(criteria)));
            tables.sort_by_key(Table::len);
            return HeaderTables { tables, complete: false };
        }
    }
    tables.sort_by_key(Table::len);
    HeaderTables { tables, complete: true }
}

/// Returns a table that satisfies these criteria.
pub(crate) fn example(criteria: &Criteria) -> Table {
    let value = |wanted: &Value| match wanted {
        Value::Void => Value::from("other"),
        wanted => {
            let found = sent(wanted).into_iter().find(|value| equal(wanted, value, criteria.by_type));
            found.unwrap_or_else(|| wanted.clone())
        }
    };
    let wanted = criteria.wanted.iter().map(|(name, wanted)| (name.clone(), value(wanted)));
    if criteria.any { wanted.take(1).collect() } else { wanted.collect() }
}

/// Returns one value for each set of wanted values that one value can equal, and last one that equals none.
fn representatives(wanted: &[Wanted<'_>]) -> Vec<Value> {
    let matched = |value: &Value| -> Vec<bool> {
        wanted.iter().map(|(wanted, by_type)| equal(wanted, value, *by_type)).collect()
    };
    let mut seen: BTreeSet<Vec<bool>> = [vec![false; wanted.len()]].into();
    let mut values: Vec<Value> = wanted.iter().flat_map(|(wanted, _)| sent(wanted)).collect();
    values.retain(|value| seen.insert(matched(value)));
    let mut other = "other".to_owned();
    while matched(&Value::from(other.as_str())).contains(&true) {
        other.push('-');
    }
    values.push(other.into());
    values
}

/// Returns values of messages that equal a wanted one, by value or by type, one of each kind: an integer, a float, both zeros, a time in
/// seconds or in milliseconds.
fn sent(wanted: &Value) -> Vec<Value> {
    let integer = match wanted {
        Value::Void => return Vec::new(),
        Value::Timestamp(seconds) => Some(i128::from(*seconds)),
        Value::F32(_) | Value::F64(_) => {
            let float = wanted.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 3.0e19);
            float.map(|float| float as i128)
        }
        other => other.as_i64().map(i128::from),
    };
    let mut values = Vec::new();
    if let Some(integer) = integer {
        values.extend(i64::try_from(integer).map(Value::I64));
        values.push(Value::F64(integer as f64));
        values.extend(u64::try_from(integer).map(Value::Timestamp));
        values.extend(u64::try_from(integer / 1000).map(Value::Timestamp));
    }
    if integer.is_none() || wanted.as_f64().is_some() {
        values.insert(0, wanted.clone());
        values.push(with_other_zeros(wanted));
    }
    values
}

/// Turns `0.0` into `-0.0` and the reverse, within arrays and tables too.
fn with_other_zeros(value: &Value) -> Value {
    match value {
        Value::F32(x) if *x == 0.0 => Value::F32(-x),
        Value::F64(x) if *x == 0.0 => Value::F64(-x),
        Value::Array(items) => Value::Array(items.iter().map(with_other_zeros).collect()),
        Value::Table(table) => Value::Table(
            table.in_order().map(|(name, value)| (name.clone(), with_other_zeros(value))).collect(),
        ),
        other => other.clone(),
    }
}
