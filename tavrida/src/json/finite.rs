//! Finds numbers that are not finite in a value.

use std::fmt::{self, Display};

use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

/// Looks for a number that is not finite.
///
/// # Errors
///
/// The first such number, with where it is.
pub(super) fn check(value: &(impl Serialize + ?Sized)) -> Result<(), NotFinite> {
    value.serialize(&mut Search::default())
}

/// What was found.
#[derive(Debug)]
pub(super) struct NotFinite(String);

impl Display for NotFinite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotFinite {}

impl serde::ser::Error for NotFinite {
    fn custom<T: Display>(text: T) -> Self {
        Self(text.to_string())
    }
}

/// Walks through a value. Each member of a path begins with its separator.
#[derive(Default)]
struct Search {
    path: Vec<String>,
    /// The next position in each open sequence, innermost last.
    positions: Vec<usize>,
}

impl Search {
    fn number(&self, value: f64) -> Result<(), NotFinite> {
        if value.is_finite() {
            return Ok(());
        }
        let path = self.path.concat();
        Err(NotFinite(match path.strip_prefix('.').unwrap_or(&path) {
            "" => format!("{value} is no number of JSON"),
            path => format!("{value} at '{path}' is no number of JSON"),
        }))
    }

    fn inside<T: Serialize + ?Sized>(&mut self, part: String, value: &T) -> Result<(), NotFinite> {
        self.path.push(part);
        value.serialize(&mut *self)?;
        self.path.pop();
        Ok(())
    }

    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotFinite> {
        let position = self.positions.last_mut().map_or(0, |next| {
            *next += 1;
            *next - 1
        });
        self.inside(format!("[{position}]"), value)
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), NotFinite> {
        self.inside(format!(".{name}"), value)
    }

    fn sequence(&mut self) -> Result<&mut Self, NotFinite> {
        self.positions.push(0);
        Ok(self)
    }

    fn variant(&mut self, name: &str) -> Result<&mut Self, NotFinite> {
        self.path.push(format!(".{name}"));
        self.sequence()
    }

    fn end_of_sequence(&mut self) -> Result<(), NotFinite> {
        self.positions.pop();
        Ok(())
    }

    fn end_of_variant(&mut self) -> Result<(), NotFinite> {
        self.path.pop();
        self.end_of_sequence()
    }
}

macro_rules! nothing_to_find {
    ($($method:ident: $type:ty),*) => {
        $(fn $method(self, _: $type) -> Result<(), NotFinite> {
            Ok(())
        })*
    };
}

impl<'a> Serializer for &'a mut Search {
    type Ok = ();
    type Error = NotFinite;
    type SerializeSeq = &'a mut Search;
    type SerializeTuple = &'a mut Search;
    type SerializeTupleStruct = &'a mut Search;
    type SerializeTupleVariant = &'a mut Search;
    type SerializeMap = &'a mut Search;
    type SerializeStruct = &'a mut Search;
    type SerializeStructVariant = &'a mut Search;

    nothing_to_find! {
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_i128: i128,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_u128: u128, serialize_char: char,
        serialize_str: &str, serialize_bytes: &[u8], serialize_unit_struct: &'static str
    }

    fn serialize_f32(self, value: f32) -> Result<(), NotFinite> {
        self.number(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<(), NotFinite> {
        self.number(value)
    }

    fn serialize_none(self) -> Result<(), NotFinite> {
        Ok(())
    }

    fn serialize_unit(self) -> Result<(), NotFinite> {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), NotFinite> {
        value.serialize(self)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Result<(), NotFinite> {
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), NotFinite> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), NotFinite> {
        self.field(variant, value)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self, NotFinite> {
        self.sequence()
    }

    fn serialize_tuple(self, _: usize) -> Result<Self, NotFinite> {
        self.sequence()
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, NotFinite> {
        self.sequence()
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self, NotFinite> {
        self.variant(variant)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self, NotFinite> {
        Ok(self)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, NotFinite> {
        Ok(self)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self, NotFinite> {
        self.variant(variant)
    }
}

macro_rules! elements {
    ($($kind:ident $method:ident $end:ident),*) => {
        $(impl $kind for &mut Search {
            type Ok = ();
            type Error = NotFinite;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotFinite> {
                self.element(value)
            }

            fn end(self) -> Result<(), NotFinite> {
                self.$end()
            }
        })*
    };
}

elements! {
    SerializeSeq serialize_element end_of_sequence,
    SerializeTuple serialize_element end_of_sequence,
    SerializeTupleStruct serialize_field end_of_sequence,
    SerializeTupleVariant serialize_field end_of_variant
}

impl SerializeMap for &mut Search {
    type Ok = ();
    type Error = NotFinite;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), NotFinite> {
        let key = serde_json::to_string(key).unwrap_or_default();
        self.path.push(format!(".{}", key.trim_matches('"')));
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotFinite> {
        value.serialize(&mut **self)?;
        self.path.pop();
        Ok(())
    }

    fn end(self) -> Result<(), NotFinite> {
        Ok(())
    }
}

macro_rules! fields {
    ($($kind:ident $end:expr),*) => {
        $(impl $kind for &mut Search {
            type Ok = ();
            type Error = NotFinite;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), NotFinite> {
                self.field(name, value)
            }

            fn end(self) -> Result<(), NotFinite> {
                $end(self)
            }
        })*
    };
}

fields! {
    SerializeStruct |_| Ok(()),
    SerializeStructVariant Search::end_of_variant
}
