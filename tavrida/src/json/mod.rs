//! JSON objects that stay text until somebody asks.
//!
//! A message's payload and context are [`Object`]s: slices of the body that they came in. Most hops read a few
//! names, or pass the whole on; neither needs a tree of values.

#[cfg(test)]
pub(crate) mod agreement;
mod object;
mod python;
mod scan;

pub(crate) use object::unescaped;
pub use object::{Members, Object, ObjectError};
pub(crate) use python::without_python_literals;
pub(crate) use scan::members;
