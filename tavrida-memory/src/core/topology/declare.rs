//! Declaring exchanges and queues, deleting exchanges, purging queues.

use std::fmt::Display;

use tavrida::field::{ShortString, Table, Value};
use tavrida_behaviour::Behaviour;

use super::exchange::{Exchange, Router};
use super::names::{check_not_default, check_not_reserved, stripped};
use super::{Topology, equivalence};
use crate::core::erlang;
use crate::core::errors::{Code, Fault};
use crate::core::ids::ConnectionId;
use crate::core::keys::QueueKey;
use crate::core::method::{ExchangeDeclare, QueueDeclare};
use crate::core::node::Node;
use crate::core::queue::Queue;
use crate::core::queue::settings::{QueueKind, Settings, read_kind};

const QUEUE_TYPE: &str = "x-queue-type";

/// Why 4.3 refuses a queue that is neither durable nor exclusive, up to where the text is cut.
const TRANSIENT_QUEUE: &str = "Feature `transient_nonexcl_queues` is deprecated.\nBy default, this feature is not permitted \
    anymore.\nThe feature will be removed from a future major RabbitMQ version, regardless of the configuration; actual version to be \
    determined.\nTo continue using this feature";

impl Topology {
    pub(crate) fn declare_exchange(&mut self, node: &Node, declare: ExchangeDeclare) -> Result<(), Fault> {
        let router = if declare.passive { None } else { Some(router(&declare.kind, &node.behaviour)?) };
        let name = stripped(&declare.exchange);
        check_not_default(&name)?;
        let Some(router) = router else {
            return self.exchange(&name).map(|_| ());
        };
        let what = self.exchange_text(&name);
        if let Some(known) = self.exchange_names.get(&name) {
            let known = &self.exchanges[*known];
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
        self.topology_grew(node);
        Ok(())
    }

    pub(crate) fn delete_exchange(&mut self, name: &ShortString, if_unused: bool) -> Result<(), Fault> {
        let name = stripped(name);
        check_not_default(&name)?;
        if name.starts_with("amq.") {
            let what = self.exchange_text(&name);
            return Err(Fault::access_refused(format!("deletion of system {what} not allowed")));
        }
        let Some(exchange) = self.exchange_names.get(&name).copied() else { return Ok(()) };
        if if_unused && !self.exchanges[exchange].bindings.is_empty() {
            return Err(Fault::precondition_failed(format!("{} in use", self.exchange_text(&name))));
        }
        self.remove_exchange(exchange);
        Ok(())
    }

    /// Declares a queue that is not a passive declaration. It belongs to the connection if it is exclusive.
    pub(crate) fn declare_queue(
        &mut self,
        node: &mut Node,
        connection: ConnectionId,
        mut declare: QueueDeclare,
    ) -> Result<QueueKey, Fault> {
        self.fill_in_type(&node.behaviour, &mut declare);
        let mut name = stripped(&declare.queue);
        if name.is_empty() {
            if matches!(read_kind(&declare.arguments, &""), Ok(QueueKind::Quorum)) {
                let kind = QueueKind::Quorum.module();
                return Err(Fault::precondition_failed(format!(
                    "Cannot declare a server-named queue for type {kind}"
                )));
            }
            name = node.names.queue();
        } else {
            check_not_reserved("queue", &name)?;
        }
        if let Some(queue) = self.queue_names.get(&name).copied() {
            self.check_equivalence(&node.behaviour, connection, queue, &declare)?;
            self.touch(node, queue);
            return Ok(queue);
        }
        let what = self.queue_text(&name);
        check_exchange_name(
            "x-dead-letter-exchange",
            &what,
            declare.arguments.get("x-dead-letter-exchange"),
        )?;
        let kind = Settings::check(&declare.arguments, &what, &node.behaviour)?;
        let settings = self.settings_of(node, &name, kind, &declare.arguments);
        let durable = declare.durable && !declare.exclusive;
        if node.behaviour.refuses_transient_queues && !declare.durable && !declare.exclusive {
            return Err(Fault::new(Code::InternalError, TRANSIENT_QUEUE));
        }
        if settings.kind == QueueKind::Quorum {
            check_quorum(durable, &declare, &what)?;
        }
        let owner = declare.exclusive.then_some(connection);
        let queue = self.queues.insert(Queue {
            durable,
            owner,
            auto_delete: declare.auto_delete,
            last_used: node.now.elapsed,
            ..Queue::new(name.clone(), declare.arguments, settings)
        });
        self.queue_names.insert(name, queue);
        self.schedule(queue);
        self.topology_grew(node);
        Ok(queue)
    }

    /// Gives a queue without a type that of the virtual host, if it can have it (R139).
    fn fill_in_type(&self, behaviour: &Behaviour, declare: &mut QueueDeclare) {
        let fits = declare.durable && !declare.exclusive && !declare.auto_delete;
        let quorum = behaviour.declares_types && self.default_queue_type == QueueKind::Quorum;
        if quorum && fits && !declare.arguments.contains(QUEUE_TYPE) {
            declare.arguments.insert(ShortString::from_static(QUEUE_TYPE), Value::from_static("quorum"));
        }
    }

    fn check_equivalence(
        &self,
        behaviour: &Behaviour,
        connection: ConnectionId,
        queue: QueueKey,
        declare: &QueueDeclare,
    ) -> Result<(), Fault> {
        let state = &self.queues[queue];
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
        for name in equivalence::compared(state.settings.kind, behaviour) {
            if name != QUEUE_TYPE {
                equivalence::argument(name, &what, &state.arguments, &declare.arguments)?;
            } else if behaviour.declares_types {
                equivalence::argument(name, &what, &typed(&state.arguments), &typed(&declare.arguments))?;
            } else if !is_classic(&state.arguments) || !is_classic(&declare.arguments) {
                equivalence::argument(name, &what, &state.arguments, &declare.arguments)?;
            }
        }
        Ok(())
    }

    /// Returns the queue that a client may delete. `None` if it does not exist, which is fine.
    pub(crate) fn deletable_queue(
        &self,
        connection: ConnectionId,
        name: &ShortString,
        if_unused: bool,
        if_empty: bool,
    ) -> Result<Option<QueueKey>, Fault> {
        let Some(queue) = self.queue_names.get(name).copied() else { return Ok(None) };
        self.check_access(queue, connection)?;
        let state = &self.queues[queue];
        let what = self.queue_text(&state.name);
        if state.is_quorum() && (if_unused || if_empty) {
            let flag = if if_unused { "if-unused" } else { "if-empty" };
            return Err(Fault::not_implemented(format!(
                "cannot delete {what}. queue.delete operations with {flag} flag set are not supported by quorum queues"
            )));
        }
        if if_empty && !state.ready.is_empty() {
            return Err(Fault::precondition_failed(format!("{what} not empty")));
        }
        if if_unused && !state.consumers.is_empty() {
            return Err(Fault::precondition_failed(format!("{what} in use")));
        }
        Ok(Some(queue))
    }

    /// Removes all ready messages. Returns how many there were.
    pub(crate) fn purge_queue(&mut self, queue: QueueKey) -> u32 {
        let count = self.queues[queue].ready.clear();
        self.schedule(queue);
        u32::try_from(count).unwrap_or(u32::MAX)
    }
}

fn router(kind: &str, behaviour: &Behaviour) -> Result<Router, Fault> {
    Router::of(kind, behaviour).ok_or_else(|| {
        let soft = behaviour.unknown_exchange_type_is_soft;
        let code = if soft { Code::PreconditionFailed } else { Code::CommandInvalid };
        // A type whose name is an existing Erlang atom has another error text (R6).
        let word = if matches!(kind, "" | "rabbit") { "invalid" } else { "unknown" };
        Fault::new(code, format!("{word} exchange type '{kind}'"))
    })
}

fn is_classic(arguments: &Table) -> bool {
    matches!(read_kind(arguments, &""), Ok(QueueKind::Classic))
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
