//! [`Permissions`]: which exchanges and queues a user may configure, write to and read from, by their names (R12).

use std::sync::Arc;

use fancy_regex::Regex;
use tavrida::field::{ShortString, Table, Value};

use super::broker::Broker;
use super::clients::reply_to;
use super::errors::{Fault, Named};
use super::ids::ConnectionId;
use super::keys::ChannelKey;
use super::method::{ExchangeDeclare, Method, QueueDeclare};
use super::topology::stripped;

/// The permissions of a user in a virtual host.
#[derive(Debug, Clone)]
pub(crate) struct Permissions {
    configure: Regex,
    write: Regex,
    read: Regex,
    named: bool,
}

/// What a method does to an exchange or a queue.
#[derive(Debug, Clone, Copy)]
enum Right {
    Configure,
    Write,
    Read,
}

impl Permissions {
    /// Returns permissions for the names that these patterns match.
    ///
    /// # Errors
    ///
    /// One is no regular expression.
    pub(crate) fn new(configure: &str, write: &str, read: &str) -> Result<Self, String> {
        let compile = |pattern: &str| {
            // An empty pattern permits nothing, but would match every name.
            let pattern = if pattern.is_empty() { "^$" } else { pattern };
            Regex::new(pattern).map_err(|error| format!("'{pattern}' is no pattern of a permission: {error}"))
        };
        let (configure, write, read) = (compile(configure)?, compile(write)?, compile(read)?);
        Ok(Self { configure, write, read, named: false })
    }

    /// Sets whether the texts of errors name the permission that is missing, as those of RabbitMQ 4.
    pub(crate) fn named(self, named: bool) -> Self {
        Self { named, ..self }
    }

    fn check(&self, right: Right, what: Named<'_>, user: &str) -> Result<(), Fault> {
        let what = match what {
            Named { kind: "exchange", name: "", .. } => Named { name: "amq.default", ..what },
            other => other,
        };
        let (pattern, verb) = match right {
            Right::Configure => (&self.configure, "configure "),
            Right::Write => (&self.write, "write "),
            Right::Read => (&self.read, "read "),
        };
        // A pattern that cannot be decided permits nothing.
        if pattern.is_match(what.name).unwrap_or(false) {
            return Ok(());
        }
        let verb = if self.named { verb } else { "" };
        Err(Fault::access_refused(format!("{verb}access to {what} refused for user '{user}'")))
    }
}

impl Broker {
    /// Limits a connection to what its user may do.
    pub(crate) fn restrict(&mut self, connection: ConnectionId, permissions: Arc<Permissions>) {
        if let Some(connection) = self.clients.connections.get_mut(&connection) {
            connection.permissions = Some(permissions);
        }
    }

    /// Checks the permissions for a method. What RabbitMQ refuses for another reason before is left to that.
    pub(super) fn check_permissions(&self, channel: ChannelKey, method: &Method) -> Result<(), Fault> {
        let id = self.clients.channels[channel].id;
        let connection = &self.clients.connections[&id.connection];
        let Some(permissions) = &connection.permissions else { return Ok(()) };
        let user = &connection.options.user;
        let exchange = |right, name: &str| permissions.check(right, self.topology.exchange_text(name), user);
        let queue = |right, name: &str| permissions.check(right, self.topology.queue_text(name), user);
        let named_queue = |right, name: &ShortString| match self.clients.channels[channel].named(name) {
            Ok(name) => queue(right, &stripped(&name)),
            Err(_) => Ok(()),
        };
        match method {
            Method::BasicPublish { publication, immediate } => {
                let is_too_large = publication.body.len() > self.node.behaviour.largest_body;
                if *immediate || is_too_large {
                    return Ok(());
                }
                exchange(Right::Write, &publication.exchange)
            }
            Method::BasicConsume(consume) if consume.queue == reply_to::QUEUE => Ok(()),
            Method::BasicConsume(consume) => named_queue(Right::Read, &consume.queue),
            Method::BasicGet { queue, .. } | Method::QueuePurge { queue, .. } => {
                named_queue(Right::Read, queue)
            }
            Method::QueueDelete { queue, .. } => named_queue(Right::Configure, queue),
            Method::QueueBind(bind) | Method::QueueUnbind(bind) => {
                named_queue(Right::Write, &bind.queue)?;
                if bind.exchange.is_empty() {
                    Ok(())
                } else {
                    exchange(Right::Read, &stripped(&bind.exchange))
                }
            }
            Method::ExchangeBind(bind) | Method::ExchangeUnbind(bind) => {
                exchange(Right::Write, &stripped(&bind.destination))?;
                if bind.destination.is_empty() || bind.source.is_empty() {
                    return Ok(());
                }
                exchange(Right::Read, &stripped(&bind.source))
            }
            Method::ExchangeDelete { exchange: name, .. } if name.is_empty() || name.starts_with("amq.") => {
                Ok(())
            }
            Method::ExchangeDelete { exchange: name, .. } => exchange(Right::Configure, &stripped(name)),
            Method::ExchangeDeclare(declare) if is_new(declare) => {
                let name = stripped(&declare.exchange);
                exchange(Right::Configure, &name)?;
                let known = self.topology.exchange_names.contains_key(&name);
                match text(&declare.arguments, "alternate-exchange") {
                    Some(alternate) if !known && !name.starts_with("amq.") => {
                        exchange(Right::Read, &name)?;
                        exchange(Right::Write, alternate)
                    }
                    _ => Ok(()),
                }
            }
            Method::QueueDeclare(declare) if makes(declare) => {
                // A name that would be generated, of the length that such names have.
                let generated = ShortString::from_static("amq.gen-AAAAAAAAAAAAAAAAAAAAAA");
                let name = if declare.queue.is_empty() { generated } else { stripped(&declare.queue) };
                queue(Right::Configure, &name)?;
                let known = self.topology.queue_names.contains_key(&name);
                match text(&declare.arguments, "x-dead-letter-exchange") {
                    Some(dead_letters) if !known => {
                        queue(Right::Read, &name)?;
                        exchange(Right::Write, dead_letters)
                    }
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }
}

/// Returns whether permissions are looked at for a declaration: not for a passive one, and not where type or name are refused.
fn is_new(declare: &ExchangeDeclare) -> bool {
    let has_type = matches!(&*declare.kind, "direct" | "fanout" | "topic" | "headers");
    !declare.passive && has_type && !declare.exchange.is_empty()
}

/// As [`is_new`], for queues.
fn makes(declare: &QueueDeclare) -> bool {
    !declare.passive && !declare.queue.starts_with("amq.")
}

fn text<'a>(arguments: &'a Table, name: &str) -> Option<&'a str> {
    arguments.get(name).and_then(Value::as_str)
}
