//! The text of reports, as people see it.

mod documented;
mod options;
mod outside;
mod waiting;
