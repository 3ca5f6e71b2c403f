//! [`params`]: arguments that come from the payload by name.

use std::future::Future;

use futures_util::future::BoxFuture;
use serde::de::DeserializeOwned;

use super::{Extract, Handler, IntoReply, Invocation, Site};
use crate::json::Members;
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

/// Reads one parameter; a missing one is read as `null`, which only fits an `Option` (or a unit).
fn param<T: DeserializeOwned>(members: &Members<'_>, name: &str) -> Result<T, Failure> {
    match members.raw(name) {
        Some(raw) => serde_json::from_str(raw)
            .map_err(|error| crate::message::ill_typed_parameter(name, &error).into()),
        None => serde_json::from_str("null").map_err(|_| crate::message::missing_parameter(name).into()),
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
