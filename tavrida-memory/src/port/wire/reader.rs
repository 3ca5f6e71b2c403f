//! [`Reader`]: fields of AMQP, out of bytes that may be anything.

use tavrida::field::{Decimal, LongString, MAX_DEPTH, ShortString, Table, Value};

/// What is wrong with bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::port) enum Malformed {
    /// Some are missing, or there are too many.
    Length,
    /// A name is not UTF-8.
    Text,
    /// A table ends within an entry, or has a value of an unknown type.
    Table,
    /// A table nests deeper than [`MAX_DEPTH`].
    Depth,
}

/// Reads fields one after the other. Nothing is allocated for a length that the bytes only claim.
#[derive(Debug, Clone, Copy)]
pub(in crate::port) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(in crate::port) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(in crate::port) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Checks that nothing is left.
    pub(in crate::port) fn end(&self) -> Result<(), Malformed> {
        if self.is_empty() { Ok(()) } else { Err(Malformed::Length) }
    }

    pub(super) fn skip(&mut self, length: usize) -> Result<(), Malformed> {
        self.take(length).map(drop)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Malformed::Length)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(Malformed::Length)?;
        self.rest = rest;
        Ok(*taken)
    }

    pub(in crate::port) fn u8(&mut self) -> Result<u8, Malformed> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    pub(in crate::port) fn u16(&mut self) -> Result<u16, Malformed> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    pub(in crate::port) fn u32(&mut self) -> Result<u32, Malformed> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    pub(in crate::port) fn u64(&mut self) -> Result<u64, Malformed> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    /// Reads an octet of flags.
    pub(in crate::port) fn flags(&mut self) -> Result<Flags, Malformed> {
        Ok(Flags(self.u8()?))
    }

    /// Reads a short text, which must be UTF-8: names of the broker are.
    pub(in crate::port) fn short(&mut self) -> Result<ShortString, Malformed> {
        let length = self.u8()?;
        let text = std::str::from_utf8(self.take(length.into())?).map_err(|_| Malformed::Text)?;
        ShortString::try_from(text).map_err(|_| Malformed::Length)
    }

    pub(in crate::port) fn long(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.u32()?;
        self.take(length.try_into().map_err(|_| Malformed::Length)?)
    }

    pub(in crate::port) fn table(&mut self) -> Result<Table, Malformed> {
        self.nested_table(1)
    }

    /// Reads the entries of a table that has no length in front, to the end.
    pub(in crate::port) fn entries(&mut self) -> Result<Table, Malformed> {
        self.entries_at(1)
    }

    fn nested_table(&mut self, level: usize) -> Result<Table, Malformed> {
        Reader::new(self.long()?).entries_at(level)
    }

    fn entries_at(&mut self, level: usize) -> Result<Table, Malformed> {
        let mut entries = Vec::new();
        while !self.is_empty() {
            entries.push(self.entry(level).map_err(|malformed| match malformed {
                Malformed::Length => Malformed::Table,
                other => other,
            })?);
        }
        Ok(entries.into_iter().collect())
    }

    fn entry(&mut self, level: usize) -> Result<(ShortString, Value), Malformed> {
        Ok((self.short()?, self.value(level)?))
    }

    /// Reads a value inside a table or array of this level. Deeper ones than a message may have would use up the stack.
    fn value(&mut self, level: usize) -> Result<Value, Malformed> {
        Ok(match self.u8()? {
            b'V' => Value::Void,
            b't' => Value::Bool(self.u8()? != 0),
            b'b' => Value::I8(i8::from_be_bytes(self.array()?)),
            b'B' => Value::U8(self.u8()?),
            b's' => Value::I16(i16::from_be_bytes(self.array()?)),
            b'u' => Value::U16(self.u16()?),
            b'I' => Value::I32(i32::from_be_bytes(self.array()?)),
            b'i' => Value::U32(self.u32()?),
            b'l' | b'L' => Value::I64(i64::from_be_bytes(self.array()?)),
            b'f' => Value::F32(finite(f32::from_be_bytes(self.array()?))?),
            b'd' => Value::F64(finite(f64::from_be_bytes(self.array()?))?),
            b'T' => Value::Timestamp(self.u64()?),
            b'D' => Value::Decimal(Decimal { scale: self.u8()?, value: self.u32()? }),
            b'S' => Value::LongString(LongString::from(self.long()?)),
            b'x' => Value::Bytes(LongString::from(self.long()?)),
            b'F' | b'A' if level >= MAX_DEPTH => return Err(Malformed::Depth),
            b'F' => Value::Table(self.nested_table(level + 1)?),
            b'A' => {
                let mut items = Reader::new(self.long()?);
                let mut values = Vec::new();
                while !items.is_empty() {
                    values.push(items.value(level + 1)?);
                }
                Value::Array(values)
            }
            _ => return Err(Malformed::Table),
        })
    }
}

/// Erlang has no other floats: RabbitMQ's parser crashes at them as at a type that it does not know.
fn finite<F: Copy + Into<f64>>(float: F) -> Result<F, Malformed> {
    if float.into().is_finite() { Ok(float) } else { Err(Malformed::Table) }
}

/// The bits of an octet, of which the first is the lowest.
#[derive(Debug, Clone, Copy)]
pub(in crate::port) struct Flags(u8);

impl Flags {
    pub(in crate::port) fn has(self, bit: u8) -> bool {
        self.0 & 1 << bit != 0
    }
}
