//! Headers: arguments of a binding against the headers of a message.

use bytes::Bytes;
use tavrida::field::{Table, Value};

use crate::core::erlang;

/// The table of a headers exchange.
#[derive(Debug, Clone)]
pub struct HeadersTable<D> {
    bindings: Vec<(Criteria, D)>,
}

/// What a binding asks for.
#[derive(Debug, Clone, PartialEq)]
struct Criteria {
    any: bool,
    wanted: Vec<(Bytes, Value)>,
}

impl Criteria {
    fn new(arguments: &Table) -> Result<Self, InvalidMatch> {
        let mode = Mode::of(arguments)?;
        let wanted = arguments
            .iter()
            .filter(|(name, _)| *name != "x-match" && (mode.with_x || !name.starts_with("x-")))
            .map(|(name, value)| (name.clone().into_byte_string().into_bytes(), value.clone()))
            .collect();
        Ok(Self { any: mode.any, wanted })
    }

    fn hold(&self, headers: &Table) -> bool {
        let mut wanted = self.wanted.iter();
        let holds = |(name, value): &(Bytes, Value)| {
            let name = std::str::from_utf8(name).expect("names are UTF-8");
            headers.get(name).is_some_and(|found| *value == Value::Void || equal(value, found))
        };
        if self.any { wanted.any(holds) } else { wanted.all(holds) }
    }
}

struct Mode {
    any: bool,
    with_x: bool,
}

impl Mode {
    fn of(arguments: &Table) -> Result<Self, InvalidMatch> {
        let (any, with_x) = match arguments.get("x-match") {
            None => (false, false),
            Some(Value::LongString(text)) => match &text[..] {
                b"all" => (false, false),
                b"any" => (true, false),
                b"all-with-x" => (false, true),
                b"any-with-x" => (true, true),
                other => {
                    return Err(InvalidMatch(format!(
                        "Invalid x-match field value {}; expected all, any, all-with-x, or any-with-x",
                        erlang::binary(other)
                    )));
                }
            },
            Some(other) => {
                return Err(InvalidMatch(format!(
                    "Invalid x-match field type {} (value {}); expected longstr",
                    erlang::type_name(other),
                    erlang::term(other)
                )));
            }
        };
        Ok(Self { any, with_x })
    }
}

/// Why a binding's `x-match` is refused, in RabbitMQ's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidMatch(String);

impl std::fmt::Display for InvalidMatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidMatch {}

impl<D: Copy + Eq> HeadersTable<D> {
    /// An empty table.
    pub const fn new() -> Self {
        Self { bindings: Vec::new() }
    }

    /// Whether the arguments of a binding make sense to a headers exchange.
    ///
    /// # Errors
    ///
    /// What is wrong with their `x-match`.
    pub fn check(arguments: &Table) -> Result<(), InvalidMatch> {
        Mode::of(arguments).map(|_| ())
    }

    /// Adds a binding.
    ///
    /// # Errors
    ///
    /// As [`check`](HeadersTable::check); nothing was added then.
    pub fn insert(&mut self, arguments: &Table, destination: D) -> Result<(), InvalidMatch> {
        self.bindings.push((Criteria::new(arguments)?, destination));
        Ok(())
    }

    /// Removes one binding of these arguments to this destination; nothing happens where there is none.
    pub fn remove(&mut self, arguments: &Table, destination: D) {
        let Ok(criteria) = Criteria::new(arguments) else { return };
        if let Some(index) = self.bindings.iter().position(|(c, d)| *d == destination && *c == criteria) {
            self.bindings.remove(index);
        }
    }

    /// Pushes the destinations of the bindings that the headers satisfy.
    pub fn route(&self, headers: &Table, into: &mut Vec<D>) {
        into.extend(self.bindings.iter().filter(|(c, _)| c.hold(headers)).map(|(_, d)| *d));
    }
}

impl<D: Copy + Eq> Default for HeadersTable<D> {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether two values are equal for a headers exchange (R39, R40): numbers by value whatever their type, text by its
/// bytes, and what is inside of arrays and tables with its type.
fn equal(a: &Value, b: &Value) -> bool {
    match (Scalar::of(a), Scalar::of(b)) {
        (Some(Scalar::Integer(a)), Some(Scalar::Integer(b))) => a == b,
        (Some(Scalar::Float(a)), Some(Scalar::Float(b))) => a == b,
        (Some(Scalar::Integer(integer)), Some(Scalar::Float(float)))
        | (Some(Scalar::Float(float)), Some(Scalar::Integer(integer))) => equals_integer(float, integer),
        (Some(Scalar::Text(a)), Some(Scalar::Text(b))) => a == b,
        (None, None) => match (a, b) {
            (Value::Array(array), Value::Table(table)) | (Value::Table(table), Value::Array(array)) => {
                array.is_empty() && table.is_empty()
            }
            _ => a == b,
        },
        _ => false,
    }
}

enum Scalar<'a> {
    Integer(i128),
    Float(f64),
    Text(&'a [u8]),
}

impl<'a> Scalar<'a> {
    fn of(value: &'a Value) -> Option<Self> {
        Some(match value {
            Value::Timestamp(n) => Self::Integer((*n).into()),
            Value::F32(x) => Self::Float((*x).into()),
            Value::F64(x) => Self::Float(*x),
            Value::LongString(bytes) | Value::Bytes(bytes) => Self::Text(bytes),
            other => Self::Integer(other.as_i64()?.into()),
        })
    }
}

/// Exact: 2^53 + 1 is not the float 2^53.
fn equals_integer(float: f64, integer: i128) -> bool {
    // Every integer of an AMQP field is below 2^64, where the conversion of an integral float is exact.
    float.fract() == 0.0 && float.abs() < 3.0e19 && float as i128 == integer
}

#[cfg(test)]
mod tests {
    use super::*;
    use tavrida::field::{Decimal, ShortString};

    fn holds(arguments: &[(&'static str, Value)], headers: &[(&'static str, Value)]) -> bool {
        let table = |entries: &[(&'static str, Value)]| -> Table {
            entries.iter().map(|(name, value)| (ShortString::from_static(name), value.clone())).collect()
        };
        let (arguments, headers) = (table(arguments), table(headers));
        let mut bindings = HeadersTable::new();
        bindings.insert(&arguments, ()).unwrap();
        let mut into = Vec::new();
        bindings.route(&headers, &mut into);
        bindings.remove(&arguments, ());
        let matched = !into.is_empty();
        into.clear();
        bindings.route(&headers, &mut into);
        assert!(into.is_empty(), "a removed binding matches");
        matched
    }

    const ANY: (&str, Value) = ("x-match", Value::from_static("any"));
    const ALL_X: (&str, Value) = ("x-match", Value::from_static("all-with-x"));
    const ANY_X: (&str, Value) = ("x-match", Value::from_static("any-with-x"));

    #[test]
    fn r37_what_is_considered() {
        let x = ("x-k", Value::I32(1));
        assert!(holds(&[], &[]), "all of nothing holds");
        assert!(!holds(&[ANY], &[("a", Value::I32(1))]), "any of nothing does not");
        assert!(holds(std::slice::from_ref(&x), &[]), "x- arguments are not considered");
        assert!(!holds(&[ALL_X, x.clone()], &[]));
        assert!(!holds(&[ANY, x.clone()], std::slice::from_ref(&x)));
        assert!(holds(&[ANY_X, x.clone()], &[x]));
        assert!(!holds(&[("X-foo", Value::I32(1))], &[]), "the prefix is case-sensitive");
        assert!(!holds(&[("x_foo", Value::I32(1))], &[]), "and has a dash");
        assert!(!holds(&[("x", Value::I32(1))], &[]));
    }

    #[test]
    fn r38_a_void_argument_asks_for_the_name_alone() {
        assert!(holds(&[("a", Value::Void)], &[("a", Value::from("zz"))]));
        assert!(!holds(&[("a", Value::Void)], &[]));
        assert!(!holds(&[("a", Value::I32(1))], &[("a", Value::Void)]));
    }

    #[test]
    fn r39_numbers_are_equal_by_value_and_text_by_bytes() {
        let equal = |a: Value, b: Value| holds(&[("a", a)], &[("a", b)]);
        assert!(equal(Value::I32(1), Value::F64(1.0)));
        assert!(equal(Value::I32(1), Value::Timestamp(1)));
        assert!(equal(Value::U8(0), Value::F64(-0.0)));
        assert!(!equal(Value::I64((1 << 53) + 1), Value::F64(9_007_199_254_740_992.0)));
        assert!(!equal(Value::F32(0.1), Value::F64(0.1)));
        assert!(equal(Value::F32(1.5), Value::F64(1.5)));
        assert!(equal(Value::from("a"), Value::Bytes(Bytes::from_static(b"a"))));
        assert!(!equal(Value::from("a"), Value::from("A")));
        assert!(!equal(Value::I32(1), Value::Bool(true)));
        assert!(!equal(Value::from("1"), Value::I32(1)));
        let decimal = |scale, value| Value::Decimal(Decimal { scale, value });
        assert!(equal(decimal(1, 10), decimal(1, 10)));
        assert!(!equal(decimal(1, 10), decimal(0, 1)));
    }

    #[test]
    fn r40_inside_of_arrays_types_count() {
        let equal = |a: Vec<Value>, b: Value| holds(&[("a", a.into())], &[("a", b)]);
        assert!(!equal(vec![Value::I32(1)], vec![Value::I64(1)].into()));
        assert!(!equal(vec![Value::from("a")], vec![Value::Bytes(Bytes::from_static(b"a"))].into()));
        assert!(equal(vec![], Table::new().into()), "an empty array is an empty table");
    }

    #[test]
    fn r36_an_unknown_x_match_is_refused_in_rabbitmqs_words() {
        let refusal = |value: Value| {
            let arguments = Table::new().with(ShortString::from_static("x-match"), value);
            HeadersTable::<()>::check(&arguments).unwrap_err().to_string()
        };
        assert_eq!(
            refusal("some".into()),
            "Invalid x-match field value <<\"some\">>; expected all, any, all-with-x, or any-with-x"
        );
        assert_eq!(
            refusal(Value::I32(5)),
            "Invalid x-match field type signedint (value 5); expected longstr"
        );
        assert_eq!(
            refusal(Value::Void),
            "Invalid x-match field type void (value undefined); expected longstr"
        );
        assert_eq!(
            refusal(Value::Bytes(Bytes::from_static(b"any"))),
            "Invalid x-match field type binary (value <<\"any\">>); expected longstr"
        );
    }
}
