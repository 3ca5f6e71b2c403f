//! Converts between Tavrida's types and lapin's: properties, field tables, errors. No I/O here.

mod error;
mod field;
mod message;

pub(crate) use error::{Closed, interpret, refused_at_connect};
pub(crate) use field::{short, table_out};
pub(crate) use message::{delivered, properties_out};
