//! JSON objects that are parsed on demand.
//!
//! A message's payload and context are [`Object`]s: slices of the received body. Most hops read a few members, or forward all of them;
//! neither needs a tree of values.

#[cfg(test)]
pub(crate) mod agreement;
mod finite;
mod flaw;
mod names;
mod object;
mod python;
mod read;
mod scan;
mod write;

pub(crate) use flaw::without_value;
pub(crate) use names::unescaped;
pub use object::{Members, Object, ObjectError};
pub(crate) use python::without_python_literals;
pub(crate) use read::read;
pub(crate) use scan::members;
pub(crate) use write::{to_string, write};
