//! The shapes of methods: the fields that their arguments have.

use super::reader::{Malformed, Reader};

/// Returns the fields of a method: how many bytes of a number or of flags, `s` for a short text, and `S` for a long one or a table. `None`
/// if neither AMQP 0-9-1 nor RabbitMQ has the method.
pub(in crate::port) fn shape(class: u16, method: u16) -> Option<&'static str> {
    Some(match (class, method) {
        (10, 10) => "11SSS",
        (10, 11) => "SsSs",
        (10, 20 | 21) => "S",
        (10, 30 | 31) => "242",
        (10, 40) => "ss1",
        (10, 41 | 60) => "s",
        (10, 50) => "2s22",
        (10, 51 | 61 | 71) => "",
        (10, 70) => "Ss",
        (20, 10) => "s",
        (20, 11) => "S",
        (20, 20 | 21) => "1",
        (20, 40) => "2s22",
        (20, 41) => "",
        (30, 10) => "s1",
        (30, 11) => "2",
        (40, 10) => "2ss1S",
        (40, 20) => "2s1",
        (40, 30 | 40) => "2sss1S",
        (40, 11 | 21 | 31 | 51) => "",
        (50, 10) => "2s1S",
        (50, 11) => "s44",
        (50, 20) => "2sss1S",
        (50, 30 | 40) => "2s1",
        (50, 31 | 41) => "4",
        (50, 50) => "2sssS",
        (50, 21 | 51) => "",
        (60, 10) => "421",
        (60, 20) => "2ss1S",
        (60, 21 | 31 | 72) => "s",
        (60, 30) => "s1",
        (60, 40) => "2ss1",
        (60, 50) => "2sss",
        (60, 60) => "s81ss",
        (60, 70) => "2s1",
        (60, 71) => "81ss4",
        (60, 80 | 90 | 120) => "81",
        (60, 100 | 110) => "1",
        (60, 11 | 111) => "",
        // Of RabbitMQ's own: credit of a consumer.
        (60, 200) => "s41",
        (60, 201) => "4",
        (60, 202) => "s4",
        (85, 10) => "1",
        (85, 11) | (90, 10 | 11 | 20 | 21 | 30 | 31) => "",
        _ => return None,
    })
}

/// Checks that arguments are cut into these fields: RabbitMQ looks at nothing else before.
pub(super) fn check(shape: &str, arguments: &[u8]) -> Result<(), Malformed> {
    let mut reader = Reader::new(arguments);
    for field in shape.bytes() {
        let length = match field {
            b's' => reader.u8()?.into(),
            b'S' => reader.u32()? as usize,
            bytes => usize::from(bytes - b'0'),
        };
        reader.skip(length)?;
    }
    reader.end()
}

/// Checks that the texts among these fields, which are those of the arguments, are UTF-8.
pub(super) fn check_texts(shape: &str, arguments: &[u8]) -> Result<(), Malformed> {
    let mut reader = Reader::new(arguments);
    for field in shape.bytes() {
        match field {
            b's' => _ = reader.short()?,
            b'S' => _ = reader.long()?,
            bytes => reader.skip(usize::from(bytes - b'0'))?,
        }
    }
    Ok(())
}
