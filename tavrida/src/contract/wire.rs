//! [`Wire`]: converts values to payloads and back.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Kind};
use crate::json::{Object, read, to_string, without_value};
use crate::message::Payload;

/// A type that can be sent on the wire. Implemented for all types that serde serialises and deserialises and that are `Send` and `'static`.
///
/// For how its methods use serde, see [the module](super#on-the-wire). Serde's traits are not supertraits, so that the compiler's errors
/// name this trait.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot cross the wire",
    label = "no type that serde writes and reads",
    note = "write `#[derive(serde::Serialize, serde::Deserialize)]` above `{Self}`, and let it own what it holds"
)]
pub trait Wire: Sized + Send + 'static {
    /// Returns the payload: the object that the value serialises to, or the empty one for `null`.
    ///
    /// # Errors
    ///
    /// The value does not serialise, or not to an object.
    fn to_payload(&self) -> Result<Payload, Error>;

    /// Returns the value of a payload. The empty object is also read as `null`, if the type can be that.
    ///
    /// # Errors
    ///
    /// The payload does not fit the type; the error says where.
    fn from_payload(payload: &Payload) -> Result<Self, Error>;

    /// Returns the value as JSON of any kind.
    ///
    /// # Errors
    ///
    /// The value does not serialise.
    fn to_json(&self) -> Result<String, Error>;

    /// Returns the value of a JSON text of any kind.
    ///
    /// # Errors
    ///
    /// The text does not fit the type; the error says where.
    fn from_json(text: &str) -> Result<Self, Error>;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Send + 'static> Wire for T {
    fn to_payload(&self) -> Result<Payload, Error> {
        payload_of(self)
    }

    fn from_payload(payload: &Payload) -> Result<Self, Error> {
        if payload.object().is_empty()
            && let Ok(nothing) = serde_json::from_str("null")
        {
            return Ok(nothing);
        }
        payload.to()
    }

    fn to_json(&self) -> Result<String, Error> {
        to_string(self).map_err(|error| Error::new(Kind::WrongResponse, error.to_string()))
    }

    fn from_json(text: &str) -> Result<Self, Error> {
        read(text).map_err(|error| Error::new(Kind::WrongParameters, without_value(&error)))
    }
}

/// As [`Wire::to_payload`], for types that are only serialised.
pub(crate) fn payload_of(value: &(impl Serialize + ?Sized)) -> Result<Payload, Error> {
    match to_string(value) {
        Ok(text) if text == "null" => Ok(Payload::EMPTY),
        Ok(text) => Object::parse(text).map(Payload::from).map_err(|error| unfit(&error)),
        Err(error) => Err(unfit(&error)),
    }
}

fn unfit(error: &dyn std::fmt::Display) -> Error {
    Error::new(Kind::WrongResponse, format!("a payload is a JSON object or nothing: {error}"))
}
