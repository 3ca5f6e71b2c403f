//! [`params`]: arguments that come from the payload by name.

use std::future::Future;

use futures_util::future::BoxFuture;
use serde::de::{DeserializeOwned, Deserializer, Visitor};

use super::{Extract, Handler, IntoReply, Invocation, Site};
use crate::json::{Members, read, without_value};
use crate::message::{Failure, Reply};

/// Names the last arguments of a handler: they come from the payload, by name, with their types.
///
/// The first arguments, up to six, are extractors; the rest, up to eight, match the names. A missing or ill-typed parameter is an error
/// that names it; additional members are ignored. An `Option` is `None` if the parameter is missing or `null`.
///
/// ```
/// use tavrida::prelude::*;
///
/// async fn hello(proxy: Proxy, param: i64, note: Option<String>) -> Result<()> {
///     Ok(())
/// }
/// let service = Service::new("test_hello").rpc("hello", params(["param", "note"], hello));
/// ```
pub fn params<const N: usize, F>(names: [&'static str; N], function: F) -> Params<N, F> {
    Params { names, function }
}

/// See [`params`].
#[derive(Debug, Clone)]
pub struct Params<const N: usize, F> {
    names: [&'static str; N],
    function: F,
}

/// Reads one parameter; only an `Option` or a unit can be missing.
fn param<T: DeserializeOwned>(members: &Members<'_>, name: &str) -> Result<T, Failure> {
    match members.raw(name) {
        Some(raw) => read(raw)
            .map_err(|error| crate::message::ill_typed_parameter(name, &without_value(&error)).into()),
        None => T::deserialize(Missing).map_err(|_| crate::message::missing_parameter(name).into()),
    }
}

/// A value that is not there: nothing for an `Option` or a unit, an error for all else. (`null` would be a value for
/// `serde_json::Value`.)
struct Missing;

impl<'de> Deserializer<'de> for Missing {
    type Error = serde::de::value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(serde::de::Error::custom("missing"))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_none()
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}

macro_rules! handler_with_params {
    ($count:literal; $($extractor:ident)*; $($param:ident $at:tt)*) => {
        impl<F, Fut, R, M, $($extractor,)* $($param,)*> Handler<(M, ($($extractor,)*), ($($param,)*))> for Params<$count, F>
        where
            F: Fn($($extractor,)* $($param,)*) -> Fut + Send + Sync + 'static,
            Fut: Future<Output = R> + Send + 'static,
            R: IntoReply<M>,
            $($extractor: Extract,)*
            $($param: DeserializeOwned + Send + 'static,)*
        {
            fn call(&self, invocation: Invocation) -> BoxFuture<'static, Result<Reply, Failure>> {
                let extract = || {
                    let members = invocation.message().payload().members();
                    Ok::<_, Failure>((
                        ($($extractor::extract(&invocation)?,)*),
                        ($(param::<$param>(&members, self.names[$at])?,)*),
                    ))
                };
                match extract() {
                    #[allow(non_snake_case, reason = "one name serves the type and its value")]
                    Ok((($($extractor,)*), ($($param,)*))) => {
                        let handled = (self.function)($($extractor,)* $($param,)*);
                        Box::pin(async move { handled.await.into_reply() })
                    }
                    Err(failure) => Box::pin(std::future::ready(Err(failure))),
                }
            }

            #[allow(unused_variables, reason = "a function without extractors needs nothing")]
            fn check(&self, site: &Site<'_>) -> Result<(), String> {
                $($extractor::check(site)?;)*
                Ok(())
            }
        }
    };
}

macro_rules! with_up_to_six_extractors {
    ($count:literal; $($param:ident $at:tt)*) => {
        handler_with_params!($count; ; $($param $at)*);
        handler_with_params!($count; E1; $($param $at)*);
        handler_with_params!($count; E1 E2; $($param $at)*);
        handler_with_params!($count; E1 E2 E3; $($param $at)*);
        handler_with_params!($count; E1 E2 E3 E4; $($param $at)*);
        handler_with_params!($count; E1 E2 E3 E4 E5; $($param $at)*);
        handler_with_params!($count; E1 E2 E3 E4 E5 E6; $($param $at)*);
    };
}

with_up_to_six_extractors!(1; P1 0);
with_up_to_six_extractors!(2; P1 0 P2 1);
with_up_to_six_extractors!(3; P1 0 P2 1 P3 2);
with_up_to_six_extractors!(4; P1 0 P2 1 P3 2 P4 3);
with_up_to_six_extractors!(5; P1 0 P2 1 P3 2 P4 3 P5 4);
with_up_to_six_extractors!(6; P1 0 P2 1 P3 2 P4 3 P5 4 P6 5);
with_up_to_six_extractors!(7; P1 0 P2 1 P3 2 P4 3 P5 4 P6 5 P7 6);
with_up_to_six_extractors!(8; P1 0 P2 1 P3 2 P4 3 P5 4 P6 5 P7 6 P8 7);

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Note(Option<String>);

    #[test]
    fn only_an_option_and_a_unit_can_be_missing() {
        let payload = crate::message::Payload::EMPTY;
        let members = payload.members();
        assert_eq!(param::<Option<i64>>(&members, "n").unwrap(), None);
        assert_eq!(param::<Note>(&members, "n").unwrap(), Note(None));
        param::<()>(&members, "n").unwrap();
        let missing = param::<serde_json::Value>(&members, "n").unwrap_err();
        assert_eq!(missing.message(), "the parameter 'n' is missing");
        assert!(param::<String>(&members, "n").is_err());
        assert!(param::<std::collections::BTreeMap<String, i64>>(&members, "n").is_err());
    }
}
