//! Tests for Tavrida: the conformance suite of a transport.

pub mod conformance;
