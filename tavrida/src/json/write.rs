//! Writes values as JSON. Numbers that JSON does not have are refused: serde_json writes them as `null`, of which the receiver would
//! complain.

use std::cell::Cell;
use std::io;

use serde::Serialize;
use serde::ser::Error as _;
use serde_json::Error;
use serde_json::ser::{Formatter, Serializer};

use super::finite;

/// Writes a value behind `text`.
///
/// # Errors
///
/// The value does not serialise, or has a number in it that is not finite; `text` may then end with a part of it.
pub(crate) fn write(text: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) -> Result<(), Error> {
    let null = Cell::new(false);
    value.serialize(&mut Serializer::with_formatter(text, Noting(&null)))?;
    // A number that is not finite becomes a null: only then there is something to look for.
    match null.get().then(|| finite::check(value)).and_then(Result::err) {
        Some(flaw) => Err(Error::custom(flaw)),
        None => Ok(()),
    }
}

/// As [`write`], to a text of its own.
pub(crate) fn to_string(value: &(impl Serialize + ?Sized)) -> Result<String, Error> {
    let mut text = Vec::with_capacity(128);
    write(&mut text, value)?;
    Ok(String::from_utf8(text).expect("JSON is UTF-8"))
}

/// Writes as serde_json does by default, and notes whether there was a `null`.
struct Noting<'a>(&'a Cell<bool>);

impl Formatter for Noting<'_> {
    fn write_null<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.set(true);
        writer.write_all(b"null")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(Serialize)]
    enum Shape {
        Unit,
        New(f64),
        Tuple(f32, Option<f64>),
        Struct { side: f64 },
    }

    #[derive(Serialize)]
    struct Order {
        id: u64,
        shapes: Vec<Shape>,
        by_name: BTreeMap<&'static str, (f64, Option<f64>)>,
    }

    fn order(shapes: Vec<Shape>, price: f64) -> Order {
        Order { id: 1, shapes, by_name: BTreeMap::from([("price", (price, None))]) }
    }

    #[test]
    fn finite_values_are_written_as_serde_json_does() {
        let shapes =
            vec![Shape::Unit, Shape::New(0.1), Shape::Tuple(0.1, None), Shape::Struct { side: -0.0 }];
        let order = order(shapes, 9_007_199_254_740_991.0);
        assert_eq!(to_string(&order).expect("JSON"), serde_json::to_string(&order).expect("JSON"));
        assert_eq!(to_string(&None::<f64>).expect("JSON"), "null");
    }

    #[test]
    fn a_number_that_is_not_finite_is_refused_with_its_place() {
        let refused =
            |shape, price| to_string(&order(vec![Shape::Unit, shape], price)).unwrap_err().to_string();
        let side = |side| Shape::Struct { side };
        assert_eq!(refused(side(f64::NAN), 1.0), "NaN at 'shapes[1].Struct.side' is no number of JSON");
        assert_eq!(refused(Shape::New(f64::INFINITY), 1.0), "inf at 'shapes[1].New' is no number of JSON");
        let tuple = Shape::Tuple(f32::NEG_INFINITY, None);
        assert_eq!(refused(tuple, 1.0), "-inf at 'shapes[1].Tuple[0]' is no number of JSON");
        assert_eq!(refused(Shape::Unit, f64::NAN), "NaN at 'by_name.price[0]' is no number of JSON");
        assert_eq!(to_string(&f64::NAN).unwrap_err().to_string(), "NaN is no number of JSON");
        let text = to_string(&[None, Some(f64::NAN)]).unwrap_err().to_string();
        assert_eq!(text, "NaN at '[1]' is no number of JSON");
    }
}
