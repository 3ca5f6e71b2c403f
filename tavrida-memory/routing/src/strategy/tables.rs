//! Header values, and header tables that nearly satisfy a binding.

use proptest::prelude::*;

use tavrida_behaviour::Behaviour;

use crate::criteria::Criteria;
use crate::decide::example;
use crate::strategy::keys::sometimes;
use crate::value::{Table, Value};

/// Values of the usual types of headers, including equal ones of different types.
pub fn value() -> impl Strategy<Value = Value> {
    let values = vec![
        Value::from("a"),
        Value::from("b"),
        Value::I32(1),
        Value::I64(1),
        Value::F64(1.0),
        Value::from("1"),
        Value::I32(2),
        Value::Bool(true),
        Value::Timestamp(1),
        Value::Bytes(b"a".to_vec()),
        Value::Array(vec![Value::I32(1)]),
        Value::Void,
    ];
    prop::sample::select(values)
}

/// Header tables near the arguments of a binding of a headers exchange: two of three satisfy it, the others miss by one header.
pub fn headers_near(arguments: &Table) -> impl Strategy<Value = Table> + use<> {
    let arguments = arguments.clone();
    table_plan(1.0 / 3.0).prop_map(move |plan| plan.near(&arguments))
}

/// How headers are made from the arguments of any binding.
#[derive(Debug, Clone)]
pub(crate) struct TablePlan {
    more: Vec<(String, Value)>,
    miss: Option<(usize, Option<Value>)>,
}

pub(crate) fn table_plan(misses: f64) -> impl Strategy<Value = TablePlan> {
    let name = prop::sample::select(vec!["a", "b", "x-c", "type"]).prop_map(str::to_owned);
    let more = prop::collection::vec((name, value()), 0..=2);
    let miss = sometimes(misses, (0..8usize, prop::option::of(value())));
    (more, miss).prop_map(|(more, miss)| TablePlan { more, miss })
}

impl TablePlan {
    pub(crate) fn near(&self, arguments: &Table) -> Table {
        let Ok(criteria) = Criteria::of(arguments, &Behaviour::default()) else { return Table::new() };
        let mut headers: Table = self.more.iter().cloned().collect();
        headers.extend(example(&criteria));
        if let Some((index, value)) = &self.miss {
            let names: Vec<String> = criteria.wanted.iter().map(|(name, _)| name.clone()).collect();
            if let Some(name) = names.get(index % names.len().max(1)) {
                match value {
                    None => drop(headers.remove(name)),
                    Some(value) => drop(headers.insert(name.clone(), value.clone())),
                }
            }
        }
        headers
    }
}
