//! [`Container`]: a message inside the broker, as RabbitMQ's message containers (`mc`).

use std::sync::Arc;

use tavrida::field::{LongString, ShortString};
use tavrida::transport::Publication;
use tavrida_behaviour::Behaviour;

use super::deaths::Deaths;
use super::headers::{is_sorted, sorted};
use super::{expiration, routing_keys};

/// A message, with data that only the broker sees.
#[derive(Debug, Clone)]
pub(crate) struct Container {
    pub(crate) publication: Arc<Publication>,
    /// The keys of its `BCC` header, which was removed: dead-lettering routes by them again (R79).
    pub(crate) bcc: Option<Arc<Vec<LongString>>>,
    /// The broker's own record of its deaths, where it keeps one.
    pub(crate) deaths: Option<Arc<Deaths>>,
}

impl Container {
    /// Returns a message as consumers see it: without `BCC` (R87).
    pub(crate) fn published(mut publication: Arc<Publication>) -> Self {
        if !publication.properties.headers().contains("BCC") {
            return Self { publication, bcc: None, deaths: None };
        }
        let bcc = routing_keys::in_headers(publication.properties.headers(), &["BCC"]);
        if let Some(headers) = &mut Arc::make_mut(&mut publication).properties.headers {
            headers.remove("BCC");
        }
        Self { publication, bcc: Some(Arc::new(bcc)), deaths: None }
    }

    /// Returns the keys of its copies: what it is routed by besides its routing key.
    pub(crate) fn copies(&self) -> Vec<LongString> {
        if self.deaths.as_ref().is_some_and(|deaths| deaths.redirected) {
            return Vec::new();
        }
        let mut keys = routing_keys::in_headers(self.publication.properties.headers(), &["CC"]);
        keys.extend(self.bcc.iter().flat_map(|keys| keys.iter()).cloned());
        keys
    }

    /// Returns the keys that a death records: all but those of `BCC` (R80).
    pub(crate) fn recorded_keys(&self, behaviour: &Behaviour) -> Vec<LongString> {
        let mut keys = vec![self.publication.routing_key.clone().into()];
        if !behaviour.records_deaths {
            keys.extend(routing_keys::in_headers(self.publication.properties.headers(), &["CC"]));
            return keys;
        }
        keys.extend(self.copies());
        // For each of `BCC` the first equal key is left out, which may be another one.
        for bcc in self.bcc.iter().flat_map(|keys| keys.iter()) {
            if let Some(place) = keys.iter().position(|key| key == bcc) {
                keys.remove(place);
            }
        }
        keys
    }

    /// Returns the broker's record of its deaths, or a new one.
    pub(crate) fn deaths_or_new(&self) -> Deaths {
        match &self.deaths {
            Some(deaths) => Deaths::clone(deaths),
            None => Deaths::new(self.publication.properties.headers()),
        }
    }

    /// Returns the message with the changes that every message gets: a plain expiration (R66), sorted headers (R87).
    pub(crate) fn rewritten(mut self, behaviour: &Behaviour) -> Self {
        let properties = &self.publication.properties;
        let plain = properties.expiration.as_ref().filter(|_| behaviour.rewrites_expiration).and_then(plain);
        if let Some(plain) = plain {
            Arc::make_mut(&mut self.publication).properties.expiration = Some(plain);
        }
        let headers = self.publication.properties.headers();
        if behaviour.sorts_headers && !is_sorted(headers) {
            let headers = &mut Arc::make_mut(&mut self.publication).properties.headers;
            *headers = headers.take().map(sorted);
        }
        self
    }
}

/// Returns a time to live as a number without sign and leading zeros, if it is not written so.
fn plain(text: &ShortString) -> Option<ShortString> {
    if !text.starts_with(['0', '+', '-']) || text == "0" {
        return None;
    }
    let plain = expiration::parse(text).ok()?.as_millis().to_string();
    Some(ShortString::try_from(plain).expect("a number is a short text"))
}
