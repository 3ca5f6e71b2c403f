//! Services on a node, for tests of whole servers and clients.

use std::time::Duration;

use tavrida::client::ClientBuilder;
use tavrida::prelude::*;
use tavrida::server::ServerBuilder;
use tavrida_amqp::AmqpTransport;

use crate::stories::fixture as stories;
pub(crate) use crate::stories::fixture::{
    Notes, backoff, consuming, eventually, other, registry, run, serve, within, work,
};
use crate::support::config;

pub(crate) fn transport(uri: &str) -> AmqpTransport {
    AmqpTransport::new(config(uri).heartbeat(2).connect_timeout(Duration::from_secs(2)))
}

pub(crate) fn server(uri: &str, service: Service) -> ServerBuilder {
    stories::server(transport(uri), service)
}

pub(crate) async fn client(uri: &str) -> Client {
    stories::client(transport(uri)).await
}

pub(crate) fn client_builder(uri: &str) -> ClientBuilder {
    stories::client_builder(transport(uri))
}
