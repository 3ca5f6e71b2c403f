//! Header tables that represent all others at the headers exchanges of a graph.

use std::collections::BTreeMap;

use crate::criteria::{Criteria, equal};
use crate::value::{Table, Value};
use crate::version::RabbitMq;

/// Tables, the smallest first, and whether every table is like one of them.
pub(crate) struct HeaderTables {
    pub(crate) tables: Vec<Table>,
    pub(crate) complete: bool,
}

/// Returns one table for each way in which these criteria can hold: each name that occurs is missing, has a value that occurs, or another
/// value.
pub(crate) fn tables<'c>(
    criteria: impl Iterator<Item = &'c Criteria>,
    version: RabbitMq,
    limit: usize,
) -> HeaderTables {
    let all: Vec<&Criteria> = criteria.collect();
    let mut values: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for (name, wanted) in all.iter().flat_map(|criteria| &criteria.wanted) {
        let values = values.entry(name).or_default();
        let sent = match wanted {
            // What a timestamp of a binding equals in every version.
            Value::Timestamp(seconds) => i64::try_from(*seconds).map_or(wanted.clone(), Value::I64),
            other => other.clone(),
        };
        if sent != Value::Void && !values.iter().any(|known| equal(known, &sent, version)) {
            values.push(sent);
        }
    }
    let options: Vec<(&str, Vec<Value>)> = values
        .into_iter()
        .map(|(name, mut values)| {
            values.push(other_than(&values, version));
            (name, values)
        })
        .collect();
    let mut tables = vec![Table::new()];
    for (name, values) in &options {
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
    let value = |value: &Value| match value {
        Value::Void => Value::from("other"),
        Value::Timestamp(seconds) => i64::try_from(*seconds).map_or(value.clone(), Value::I64),
        other => other.clone(),
    };
    let wanted = criteria.wanted.iter().map(|(name, wanted)| (name.clone(), value(wanted)));
    if criteria.any { wanted.take(1).collect() } else { wanted.collect() }
}

/// Returns a text that equals none of these.
fn other_than(values: &[Value], version: RabbitMq) -> Value {
    let mut text = "other".to_owned();
    while values.iter().any(|value| equal(value, &Value::from(text.as_str()), version)) {
        text.push('-');
    }
    text.into()
}
