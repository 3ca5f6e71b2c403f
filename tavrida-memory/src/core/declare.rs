//! Declaring exchanges and queues, deleting exchanges, purging queues.

use std::fmt::Display;

use tavrida::field::{ShortString, Table, Value};

use super::effect::{Effects, MethodReply};
use super::errors::{Code, Fault, Named};
use super::keys::{ChannelKey, ExchangeKey, QueueKey};
use super::method::{ExchangeDeclare, QueueDeclare};
use super::queue::Queue;
use super::queue::settings::{QueueKind, Settings, read_kind};
use super::topology::equivalence;
use super::topology::exchange::{Exchange, Router};
use super::{Broker, erlang, reply_to};

const QUEUE_TYPE: &str = "x-queue-type";

/// Why 4.3 refuses a queue that is neither durable nor exclusive, up to where the text is cut.
const TRANSIENT_QUEUE: &str = "Feature `transient_nonexcl_queues` is deprecated.\nBy default, this feature is not permitted \
    anymore.\nThe feature will be removed from a future major RabbitMQ version, regardless of the configuration; actual version to be \
    determined.\nTo continue using this feature";

impl Broker {
    pub(crate) fn declare_exchange(&mut self, declare: ExchangeDeclare) -> Result<(), Fault> {
        let router = if declare.passive { None } else { Some(self.router(&declare.kind)?) };
        let name = stripped(&declare.exchange);
        check_not_default(&name)?;
        let Some(router) = router else {
            return self.exchange(&name).map(|_| ());
        };
        let what = self.exchange_text(&name);
        if let Some(known) = self.topology.exchange_names.get(&name) {
            let known = &self.topology.exchanges[*known];
            equivalence::field("type", &what, known.router.kind(), router.kind())?;
            equivalence::field("durable", &what, known.durable, declare.durable)?;
            equivalence::field("auto_delete", &what, known.auto_delete, declare.auto_delete)?;
            equivalence::field("internal", &what, known.internal, declare.internal)?;
            return equivalence::argument("alternate-exchange", &what, &known.arguments, &declare.arguments);
        }
        check_not_reserved("exchange", &name)?;
        check_exchange_name("alternate-exchange", &what, declare.arguments.get("alternate-exchange"))?;
        let alternate_by_policy = self.alternate_by_policy(&name);
        self.add_exchange(Exchange {
            alternate_by_policy,
            durable: declare.durable,
            auto_delete: declare.auto_delete,
            internal: declare.internal,
            arguments: declare.arguments,
            ..Exchange::new(name, router)
        });
        Ok(())
    }

    pub(crate) fn add_exchange(&mut self, exchange: Exchange) -> ExchangeKey {
        let name = exchange.name.clone();
        let key = self.topology.exchanges.insert(exchange);
        self.topology.exchange_names.insert(name, key);
        self.topology_grew();
        key
    }

    pub(crate) fn delete_exchange(&mut self, name: &ShortString, if_unused: bool) -> Result<(), Fault> {
        let name = stripped(name);
        check_not_default(&name)?;
        if name.starts_with("amq.") {
            let what = self.exchange_text(&name);
            return Err(Fault::access_refused(format!("deletion of system {what} not allowed")));
        }
        let Some(exchange) = self.topology.exchange_names.get(&name).copied() else { return Ok(()) };
        if if_unused && !self.topology.exchanges[exchange].bindings.is_empty() {
            return Err(Fault::precondition_failed(format!("{} in use", self.exchange_text(&name))));
        }
        self.remove_exchange(exchange);
        Ok(())
    }

    pub(crate) fn declare_queue(
        &mut self,
        channel: ChannelKey,
        declare: QueueDeclare,
        effects: &mut Effects,
    ) -> Result<(), Fault> {
        let nowait = declare.nowait;
        let (name, (message_count, consumer_count)) = if declare.queue.starts_with(reply_to::QUEUE) {
            (self.declare_reply_address(&stripped(&declare.queue))?, (0, 1))
        } else if declare.passive {
            let queue = self.queue(&stripped(&declare.queue))?;
            self.touch(queue);
            self.check_access(channel, queue)?;
            (self.topology.queues[queue].name.clone(), self.counts(queue))
        } else {
            let queue = self.declare_queue_actively(channel, declare)?;
            (self.topology.queues[queue].name.clone(), self.counts(queue))
        };
        let channel = &mut self.clients.channels[channel];
        channel.last_queue = Some(name.clone());
        if !nowait {
            effects.reply(
                channel.id,
                MethodReply::QueueDeclareOk { queue: name, message_count, consumer_count },
            );
        }
        Ok(())
    }

    fn declare_queue_actively(
        &mut self,
        channel: ChannelKey,
        mut declare: QueueDeclare,
    ) -> Result<QueueKey, Fault> {
        self.fill_in_type(&mut declare);
        let mut name = stripped(&declare.queue);
        if name.is_empty() {
            if matches!(read_kind(&declare.arguments, &""), Ok(QueueKind::Quorum)) {
                let kind = QueueKind::Quorum.module();
                return Err(Fault::precondition_failed(format!(
                    "Cannot declare a server-named queue for type {kind}"
                )));
            }
            name = self.node.names.queue();
        } else {
            check_not_reserved("queue", &name)?;
        }
        if let Some(queue) = self.topology.queue_names.get(&name).copied() {
            self.check_equivalence(channel, queue, &declare)?;
            self.touch(queue);
            return Ok(queue);
        }
        let what = self.queue_text(&name);
        check_exchange_name(
            "x-dead-letter-exchange",
            &what,
            declare.arguments.get("x-dead-letter-exchange"),
        )?;
        let kind = Settings::check(&declare.arguments, &what, &self.node.behaviour)?;
        let settings = self.settings_of(&name, kind, &declare.arguments);
        let durable = declare.durable && !declare.exclusive;
        if self.node.behaviour.refuses_transient_queues && !declare.durable && !declare.exclusive {
            return Err(Fault::new(Code::InternalError, TRANSIENT_QUEUE));
        }
        if settings.kind == QueueKind::Quorum {
            check_quorum(durable, &declare, &what)?;
        }
        let owner = declare.exclusive.then(|| self.clients.channels[channel].id.connection);
        let queue = self.topology.queues.insert(Queue {
            durable,
            owner,
            auto_delete: declare.auto_delete,
            last_used: self.node.now.elapsed,
            ..Queue::new(name.clone(), declare.arguments, settings)
        });
        self.topology.queue_names.insert(name, queue);
        if let Some(connection) = owner.and_then(|owner| self.clients.connections.get_mut(&owner)) {
            connection.exclusive.push(queue);
        }
        self.arm(queue);
        self.topology_grew();
        Ok(queue)
    }

    /// Gives a queue without a type that of the virtual host, if it can have it (R139).
    fn fill_in_type(&self, declare: &mut QueueDeclare) {
        let fits = declare.durable && !declare.exclusive && !declare.auto_delete;
        let quorum =
            self.node.behaviour.declares_types && self.topology.default_queue_type == QueueKind::Quorum;
        if quorum && fits && !declare.arguments.contains(QUEUE_TYPE) {
            declare.arguments.insert(ShortString::from_static(QUEUE_TYPE), Value::from_static("quorum"));
        }
    }

    fn check_equivalence(
        &self,
        channel: ChannelKey,
        queue: QueueKey,
        declare: &QueueDeclare,
    ) -> Result<(), Fault> {
        let state = &self.topology.queues[queue];
        let connection = self.clients.channels[channel].id.connection;
        if state.owner != declare.exclusive.then_some(connection) {
            return Err(self.locked(queue));
        }
        let what = self.queue_text(&state.name);
        let durable = declare.durable && !declare.exclusive;
        equivalence::field("durable", &what, state.durable, durable)?;
        equivalence::field("auto_delete", &what, state.auto_delete, declare.auto_delete)?;
        let typed = |arguments: &Table| {
            let mut arguments = arguments.clone();
            if !arguments.contains(QUEUE_TYPE) {
                arguments.insert(ShortString::from_static(QUEUE_TYPE), Value::from_static("classic"));
            }
            arguments
        };
        for name in equivalence::compared(state.settings.kind, &self.node.behaviour) {
            if name != QUEUE_TYPE {
                equivalence::argument(name, &what, &state.arguments, &declare.arguments)?;
            } else if self.node.behaviour.declares_types {
                equivalence::argument(name, &what, &typed(&state.arguments), &typed(&declare.arguments))?;
            } else if !is_classic(&state.arguments) || !is_classic(&declare.arguments) {
                equivalence::argument(name, &what, &state.arguments, &declare.arguments)?;
            }
        }
        Ok(())
    }

    /// Returns the counts of ready messages and consumers. For a quorum queue an unsettled `basic.get` is a consumer, and so is a cancelled
    /// one with unsettled messages.
    fn counts(&self, queue: QueueKey) -> (u32, u32) {
        let state = &self.topology.queues[queue];
        let (ready, mut consumers) = state.counts();
        if state.settings.kind == QueueKind::Classic {
            return (ready, consumers);
        }
        if state.settings.single_active {
            // Those that wait for their turn do not count.
            consumers = consumers.min(1);
        }
        if state.unacked == 0 {
            return (ready, consumers);
        }
        let unsettled = self.clients.channels.iter().flat_map(|(_, channel)| channel.unsettled());
        let held = unsettled.filter(|pending| pending.queue == queue);
        let mut cancelled = Vec::new();
        let mut got = 0;
        for pending in held {
            match pending.consumer {
                None => got += 1,
                Some(consumer) if !self.clients.consumers[consumer].alive => cancelled.push(consumer),
                Some(_) => {}
            }
        }
        cancelled.sort_unstable();
        cancelled.dedup();
        (ready, consumers + u32::try_from(got + cancelled.len()).unwrap_or(u32::MAX))
    }

    pub(crate) fn purge_queue(&mut self, channel: ChannelKey, name: &ShortString) -> Result<u32, Fault> {
        let queue = self.named_queue(channel, name)?;
        self.check_access(channel, queue)?;
        let count = self.topology.queues[queue].ready.clear();
        self.arm(queue);
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }

    fn router(&self, kind: &str) -> Result<Router, Fault> {
        Router::of(kind, &self.node.behaviour).ok_or_else(|| {
            let soft = self.node.behaviour.unknown_exchange_type_is_soft;
            let code = if soft { Code::PreconditionFailed } else { Code::CommandInvalid };
            // A type whose name is an existing Erlang atom has another error text (R6).
            let word = if matches!(kind, "" | "rabbit") { "invalid" } else { "unknown" };
            Fault::new(code, format!("{word} exchange type '{kind}'"))
        })
    }

    // -- Looking up --

    pub(crate) fn exchange(&self, name: &str) -> Result<ExchangeKey, Fault> {
        let known = self.topology.exchange_names.get(name).copied();
        known.ok_or_else(|| Fault::not_found(format!("no {}", self.exchange_text(name))))
    }

    pub(crate) fn queue(&self, name: &str) -> Result<QueueKey, Fault> {
        let known = self.topology.queue_names.get(name).copied();
        known.ok_or_else(|| Fault::not_found(format!("no {}", self.queue_text(name))))
    }

    /// Returns a queue by the name that a client gave; an empty name means the queue that it declared last.
    pub(crate) fn named_queue(&self, channel: ChannelKey, name: &ShortString) -> Result<QueueKey, Fault> {
        self.queue(&self.expanded(channel, name)?)
    }

    pub(crate) fn expanded(&self, channel: ChannelKey, name: &ShortString) -> Result<ShortString, Fault> {
        if !name.is_empty() {
            return Ok(name.clone());
        }
        let last = self.clients.channels[channel].last_queue.clone();
        last.ok_or_else(no_last_queue)
    }

    /// Checks that an exclusive queue is used by its own connection only (R52).
    pub(crate) fn check_access(&self, channel: ChannelKey, queue: QueueKey) -> Result<(), Fault> {
        match self.topology.queues[queue].owner {
            Some(owner) if owner != self.clients.channels[channel].id.connection => Err(self.locked(queue)),
            _ => Ok(()),
        }
    }

    fn locked(&self, queue: QueueKey) -> Fault {
        let what = self.queue_text(&self.topology.queues[queue].name);
        Fault::new(
            Code::ResourceLocked,
            format!(
                "cannot obtain exclusive access to locked {what}. It could be originally declared on another \
                 connection or the exclusive property value does not match that of the original declaration."
            ),
        )
    }

    /// Returns a queue as error texts name it.
    pub(crate) fn queue_text<'a>(&'a self, name: &'a str) -> Named<'a> {
        Named { kind: "queue", name, virtual_host: &self.topology.virtual_host }
    }

    /// Returns an exchange as error texts name it.
    pub(crate) fn exchange_text<'a>(&'a self, name: &'a str) -> Named<'a> {
        Named { kind: "exchange", name, virtual_host: &self.topology.virtual_host }
    }
}

fn is_classic(arguments: &Table) -> bool {
    matches!(read_kind(arguments, &""), Ok(QueueKind::Classic))
}

/// An empty name of a queue means the last declared one, of which there is none.
pub(crate) fn no_last_queue() -> Fault {
    Fault::not_found("no previously declared queue")
}

/// Removes line ends from a name (R29).
pub(crate) fn stripped(name: &ShortString) -> ShortString {
    if !name.contains(['\r', '\n']) {
        return name.clone();
    }
    name.replace(['\r', '\n'], "").try_into().expect("a shorter name is short enough")
}

pub(crate) fn check_not_default(name: &str) -> Result<(), Fault> {
    if name.is_empty() {
        Err(Fault::access_refused("operation not permitted on the default exchange"))
    } else {
        Ok(())
    }
}

fn check_not_reserved(kind: &str, name: &str) -> Result<(), Fault> {
    if name.starts_with("amq.") {
        let text = format!("{kind} name '{name}' contains reserved prefix 'amq.*'");
        return Err(Fault::access_refused(text));
    }
    Ok(())
}

/// Checks that an argument that names an exchange is text.
fn check_exchange_name(name: &str, what: &dyn Display, value: Option<&Value>) -> Result<(), Fault> {
    match value {
        None | Some(Value::LongString(_)) => Ok(()),
        Some(other) => {
            let kind = erlang::type_name(other);
            Err(Fault::precondition_failed(format!("invalid type '{kind}' for arg '{name}' in {what}")))
        }
    }
}

fn check_quorum(durable: bool, declare: &QueueDeclare, what: &dyn Display) -> Result<(), Fault> {
    let property = if declare.auto_delete {
        "auto-delete"
    } else if declare.exclusive {
        "exclusive-owner"
    } else if !durable {
        "non-durable"
    } else {
        return Ok(());
    };
    Err(Fault::precondition_failed(format!("invalid property '{property}' for {what}")))
}
