//! [`Message`]: the part of a published message that routing depends on.

use std::fmt;

use tavrida_behaviour::Behaviour;

use crate::broker_error::BrokerError;
use crate::erlang;
use crate::value::{Table, Value};

/// A message: the exchange that it is published to, its routing key, its headers.
///
/// The keys in the headers `CC` and `BCC` are used for routing, as in RabbitMQ.
///
/// ```
/// use tavrida_routing::Message;
///
/// let message = Message::new("documents", "invoice.paid").header("type", "pdf");
/// assert_eq!(message.to_string(), r#"'invoice.paid' to 'documents' {type: "pdf"}"#);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Message {
    /// The exchange; empty is the default exchange.
    pub exchange: String,
    /// The routing key.
    pub key: String,
    /// The headers.
    pub headers: Table,
    /// Further keys that routing does not read from the headers any more.
    pub(crate) cc_is_spent: bool,
    /// Its deaths, the latest first.
    pub(crate) deaths: Vec<Death>,
}

/// One death of a message: the queue, and the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Death {
    pub(crate) queue: String,
    pub(crate) reason: String,
}

impl Message {
    /// Returns a message without headers.
    pub fn new(exchange: impl Into<String>, key: impl Into<String>) -> Self {
        Self {
            exchange: exchange.into(),
            key: key.into(),
            headers: Table::new(),
            cc_is_spent: false,
            deaths: Vec::new(),
        }
    }

    /// Adds a header.
    #[must_use = "the message comes back changed"]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Sets the headers.
    #[must_use = "the message comes back changed"]
    pub fn headers(self, headers: impl Into<Table>) -> Self {
        Self { headers: headers.into(), ..self }
    }

    /// Returns the routing keys: its own, then those of `CC` and `BCC`; items there that are not text are ignored.
    ///
    /// # Errors
    ///
    /// 406 if one of the two headers is not an array (R89).
    pub(crate) fn keys(&self) -> Result<Vec<&str>, BrokerError> {
        let mut keys = vec![self.key.as_str()];
        for name in ["CC", "BCC"] {
            match self.headers.get(name) {
                _ if self.cc_is_spent => {}
                None => {}
                Some(Value::Array(items)) => keys.extend(items.iter().filter_map(Value::as_str)),
                Some(other) => {
                    let kind = erlang::type_name(other);
                    return Err(BrokerError::precondition_failed(format_args!(
                        "invalid message: {{unacceptable_type_in_header,\"{name}\",{kind}}}"
                    )));
                }
            }
        }
        Ok(keys)
    }

    /// Returns the deaths in an `x-death` sent by a client, unless the broker keeps its own record.
    pub(crate) fn known_deaths(&self, behaviour: &Behaviour) -> Vec<Death> {
        let array = match self.headers.get("x-death") {
            Some(Value::Array(deaths)) if self.deaths.is_empty() && !behaviour.records_deaths => deaths,
            _ => return self.deaths.clone(),
        };
        let mut known: Vec<Death> = Vec::new();
        for death in array {
            let Value::Table(entry) = death else { continue };
            let text = |name| entry.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            let death = Death { queue: text("queue"), reason: text("reason") };
            if !known.contains(&death) {
                known.push(death);
            }
        }
        known
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}' to '{}'", self.key, self.exchange)?;
        if !self.headers.is_empty() {
            write!(f, " {}", self.headers)?;
        }
        Ok(())
    }
}
