//! Tests for Tavrida: a private RabbitMQ node, and the conformance suite of a transport.
