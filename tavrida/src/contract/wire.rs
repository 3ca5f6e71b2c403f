//! [`Wire`]: values as payloads, and back.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Kind};
use crate::json::Object;
use crate::message::Payload;

/// What can cross the wire. Implemented for all types that serde writes and reads, and that no thread or borrow holds back.
///
/// Its methods are what this library makes of serde: see [there](super#on-the-wire).
// It does not name serde's traits as its own bounds: the compiler would tell of these, and not of this.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot cross the wire",
    label = "no type that serde writes and reads",
    note = "write `#[derive(serde::Serialize, serde::Deserialize)]` above `{Self}`, and let it own what it holds"
)]
pub trait Wire: Sized + Send + 'static {
    /// The payload: the object that the value serialises to, the empty one for `null`.
    ///
    /// # Errors
    ///
    /// When the value does not serialise, or to something else.
    fn to_payload(&self) -> Result<Payload, Error>;

    /// The value that a payload holds. The empty object is also `null`, where the type can be that.
    ///
    /// # Errors
    ///
    /// When the payload does not fit the type; the error says where.
    fn from_payload(payload: &Payload) -> Result<Self, Error>;

    /// The value as JSON of any kind.
    ///
    /// # Errors
    ///
    /// When the value does not serialise.
    fn to_json(&self) -> Result<String, Error>;

    /// The value that a JSON text of any kind holds.
    ///
    /// # Errors
    ///
    /// When the text does not fit the type; the error says where.
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
        serde_json::to_string(self).map_err(|error| Error::new(Kind::WrongResponse, error.to_string()))
    }

    fn from_json(text: &str) -> Result<Self, Error> {
        serde_json::from_str(text).map_err(|error| Error::new(Kind::WrongParameters, error.to_string()))
    }
}

/// See [`Wire::to_payload`]; for what is only written.
pub(crate) fn payload_of(value: &(impl Serialize + ?Sized)) -> Result<Payload, Error> {
    match serde_json::to_string(value) {
        Ok(text) if text == "null" => Ok(Payload::EMPTY),
        Ok(text) => Object::parse(text).map(Payload::from).map_err(|error| unfit(&error)),
        Err(error) => Err(unfit(&error)),
    }
}

fn unfit(error: &dyn std::fmt::Display) -> Error {
    Error::new(Kind::WrongResponse, format!("a payload is a JSON object or nothing: {error}"))
}
