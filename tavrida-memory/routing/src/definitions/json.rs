//! JSON values with their paths, and without duplicate names in an object.

use std::fmt;

use serde_json::{Map, Value as Json};

use crate::definitions::error::DefinitionsError;
use crate::value::{Table, Value};

/// Parses JSON. An object with a duplicate name is an error: `serde_json` alone would keep the last one.
pub(crate) fn parse(text: &str) -> Result<Json, DefinitionsError> {
    // Windows programs begin a file with a byte order mark.
    let parsed: Result<Unique, _> = serde_json::from_str(text.trim_start_matches('\u{feff}'));
    parsed
        .map(|unique| unique.0)
        .map_err(|error| DefinitionsError::new("$", format_args!("not JSON: {error}")))
}

struct Unique(Json);

impl<'de> serde::Deserialize<'de> for Unique {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Visitor).map(Self)
    }
}

struct Visitor;

impl<'de> serde::de::Visitor<'de> for Visitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Json, E> {
        Ok(truth.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json, E> {
        Ok(number.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
        Ok(number.into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Json, E> {
        Ok(number.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(text.into())
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut array = Vec::new();
        while let Some(Unique(item)) = items.next_element()? {
            array.push(item);
        }
        Ok(array.into())
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        let mut object = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            if object.contains_key(&name) {
                return Err(serde::de::Error::custom(format_args!(
                    "the name {name:?} appears twice in an object"
                )));
            }
            let Unique(value) = entries.next_value()?;
            object.insert(name, value);
        }
        Ok(object.into())
    }
}

/// A value and its path.
#[derive(Clone)]
pub(crate) struct At<'j> {
    pub(crate) path: String,
    pub(crate) json: &'j Json,
}

impl<'j> At<'j> {
    /// Returns the whole document.
    pub(crate) fn root(json: &'j Json) -> Self {
        Self { path: "$".to_owned(), json }
    }

    /// Returns an error at this place.
    pub(crate) fn wrong(&self, expected: impl fmt::Display) -> DefinitionsError {
        let mut found: String = self.json.to_string().chars().take(80).collect();
        if found.chars().count() == 80 {
            found.push_str("...");
        }
        DefinitionsError::new(&self.path, format_args!("found {found}, expected {expected}"))
    }

    pub(crate) fn object(&self) -> Result<&'j Map<String, Json>, DefinitionsError> {
        self.json.as_object().ok_or_else(|| self.wrong("an object"))
    }

    /// Returns a member. `None` if it is missing.
    pub(crate) fn member(&self, name: &str) -> Result<Option<At<'j>>, DefinitionsError> {
        let json = self.object()?.get(name);
        Ok(json.map(|json| At { path: format!("{}.{name}", self.path), json }))
    }

    /// Returns the items of a member that is an array. `None` if it is missing.
    pub(crate) fn items(&self, name: &str) -> Result<Vec<At<'j>>, DefinitionsError> {
        let Some(member) = self.member(name)? else { return Ok(Vec::new()) };
        let items = member.json.as_array().ok_or_else(|| member.wrong("an array"))?;
        let item = |(index, json)| At { path: format!("{}[{index}]", member.path), json };
        Ok(items.iter().enumerate().map(item).collect())
    }

    /// Returns a mandatory member that is text.
    pub(crate) fn text(&self, name: &str) -> Result<&'j str, DefinitionsError> {
        self.optional_text(name)?.ok_or_else(|| self.wrong(format_args!("a member \"{name}\"")))
    }

    pub(crate) fn optional_text(&self, name: &str) -> Result<Option<&'j str>, DefinitionsError> {
        let Some(member) = self.member(name)? else { return Ok(None) };
        member.json.as_str().map(Some).ok_or_else(|| member.wrong("text"))
    }

    /// Returns a boolean member, or the default if it is missing.
    pub(crate) fn flag(&self, name: &str, default: bool) -> Result<bool, DefinitionsError> {
        let Some(member) = self.member(name)? else { return Ok(default) };
        member.json.as_bool().ok_or_else(|| member.wrong("true or false"))
    }

    /// Returns a member that is a table of AMQP values, empty if it is missing.
    pub(crate) fn table(&self, name: &str) -> Result<Table, DefinitionsError> {
        match self.member(name)? {
            None => Ok(Table::new()),
            // Old exports write an empty table as an empty list.
            Some(member) if member.json.as_array().is_some_and(Vec::is_empty) => Ok(Table::new()),
            Some(member) => member.to_table(),
        }
    }

    fn to_table(&self) -> Result<Table, DefinitionsError> {
        let value = |(name, json): (&String, &'j Json)| {
            let member = At { path: format!("{}.{name}", self.path), json };
            Ok((name.clone(), member.to_value()?))
        };
        self.object()?.iter().map(value).collect()
    }

    /// Returns the value that a node makes of it: integers are 64 bits wide, other numbers are doubles.
    pub(crate) fn to_value(&self) -> Result<Value, DefinitionsError> {
        Ok(match self.json {
            Json::Null => return Err(self.wrong("a value: a node refuses null (null_not_allowed)")),
            Json::Bool(truth) => (*truth).into(),
            Json::String(text) => text.as_str().into(),
            Json::Number(number) => match (number.as_i64(), number.is_u64(), number.as_f64()) {
                (Some(integer), ..) => integer.into(),
                (None, false, Some(float)) => float.into(),
                _ => return Err(self.wrong("an integer of 64 bits with a sign")),
            },
            Json::Array(items) => {
                let item = |(index, json)| At { path: format!("{}[{index}]", self.path), json }.to_value();
                Value::Array(items.iter().enumerate().map(item).collect::<Result<_, _>>()?)
            }
            Json::Object(_) => self.to_table()?.into(),
        })
    }
}

/// Returns a table as JSON; errors name the path.
pub(crate) fn from_table(table: &Table, path: &str) -> Result<Json, DefinitionsError> {
    let entry =
        |(name, value): (&String, &Value)| Ok((name.clone(), from_value(value, &format!("{path}.{name}"))?));
    table.iter().map(entry).collect::<Result<Map<_, _>, _>>().map(Json::Object)
}

fn from_value(value: &Value, path: &str) -> Result<Json, DefinitionsError> {
    Ok(match value {
        Value::Bool(truth) => (*truth).into(),
        Value::LongString(text) => text.as_str().into(),
        Value::Table(table) => from_table(table, path)?,
        Value::Array(items) => {
            let item = |(index, value)| from_value(value, &format!("{path}[{index}]"));
            Json::Array(items.iter().enumerate().map(item).collect::<Result<_, _>>()?)
        }
        other => match (other.as_i64(), other.as_f64()) {
            (Some(integer), _) => integer.into(),
            (None, Some(float)) if float.is_finite() => float.into(),
            _ => {
                let problem = format!("found {other}, expected a value that a definitions file can hold");
                return Err(DefinitionsError::new(path, problem));
            }
        },
    })
}
