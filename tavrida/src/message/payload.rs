//! [`Payload`]: the JSON object of a message.

use std::ops::Deref;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Kind};
use crate::json::Object;

/// The payload of a message: a JSON object with the parameters of a handler, or its result.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Payload(Object);

impl Payload {
    /// A payload without members.
    pub const EMPTY: Self = Self(Object::EMPTY);

    /// Returns the payload that a value serialises to.
    ///
    /// # Errors
    ///
    /// The value does not serialise, or not to an object.
    pub fn new(value: &(impl Serialize + ?Sized)) -> Result<Self, Error> {
        Object::from_serialize(value)
            .map(Self)
            .map_err(|error| Error::new(Kind::WrongResponse, format!("a payload is a JSON object: {error}")))
    }

    /// Returns one member.
    ///
    /// # Errors
    ///
    /// The member is missing or of another type; the error names it.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Result<T, Error> {
        match self.0.get(name) {
            Ok(Some(value)) => Ok(value),
            Ok(None) => Err(missing_parameter(name)),
            Err(error) => Err(ill_typed_parameter(name, &error)),
        }
    }

    /// Returns the whole payload as a type; unknown members are ignored, as serde does by default.
    ///
    /// # Errors
    ///
    /// The payload does not fit.
    pub fn to<T: DeserializeOwned>(&self) -> Result<T, Error> {
        self.0.to().map_err(|error| Error::new(Kind::WrongParameters, format!("the payload: {error}")))
    }

    /// Returns the JSON object.
    pub fn object(&self) -> &Object {
        &self.0
    }
}

pub(crate) fn missing_parameter(name: &str) -> Error {
    Error::new(Kind::WrongParameters, format!("the parameter '{name}' is missing"))
}

pub(crate) fn ill_typed_parameter(name: &str, error: &dyn std::fmt::Display) -> Error {
    Error::new(Kind::WrongParameters, format!("the parameter '{name}' is ill-typed: {error}"))
}

impl From<Object> for Payload {
    fn from(object: Object) -> Self {
        Self(object)
    }
}

impl Deref for Payload {
    type Target = Object;

    fn deref(&self) -> &Object {
        &self.0
    }
}
