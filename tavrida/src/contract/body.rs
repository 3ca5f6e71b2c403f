//! Values as payloads, and back.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Kind};
use crate::message::Payload;

/// The payload of a contract's request, reply or event: the object that the value serialises to, the empty one for `null`.
///
/// # Errors
///
/// When the value does not serialise, or to something else.
pub fn payload_of(value: &(impl Serialize + ?Sized)) -> Result<Payload, Error> {
    match serde_json::to_string(value) {
        Ok(text) if text == "null" => Ok(Payload::EMPTY),
        Ok(text) => crate::json::Object::parse(text).map(Payload::from).map_err(|error| unfit(&error)),
        Err(error) => Err(unfit(&error)),
    }
}

fn unfit(error: &dyn std::fmt::Display) -> Error {
    Error::new(Kind::WrongResponse, format!("a payload is a JSON object or nothing: {error}"))
}

/// The value that a payload holds. The empty object is also `null`, where the type can be that.
///
/// # Errors
///
/// When the payload does not fit the type; the error says where.
pub fn read<T: DeserializeOwned>(payload: &Payload) -> Result<T, Error> {
    if payload.object().is_empty()
        && let Ok(nothing) = serde_json::from_str("null")
    {
        return Ok(nothing);
    }
    payload.to()
}
