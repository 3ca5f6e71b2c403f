//! Conversions from and to the types of `tavrida`: values, declarations, the plan of a server.

use std::fmt;

use tavrida::field;
use tavrida::message::MessageKind;
use tavrida::server::Plan;
use tavrida::transport;

use crate::broker_error::BrokerError;
use crate::topology::{Binding, Destination, Exchange, ExchangeType, Queue, Topology};
use crate::value::{Table, Value};

/// A text of AMQP that is not UTF-8, which a topology cannot hold. Its `Display` names the place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotText {
    place: String,
}

impl NotText {
    pub(crate) fn within(self, place: impl fmt::Display) -> Self {
        Self { place: format!("{place}: {}", self.place) }
    }
}

impl fmt::Display for NotText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, expected UTF-8", self.place)
    }
}

impl std::error::Error for NotText {}

impl TryFrom<&field::Value> for Value {
    type Error = NotText;

    fn try_from(value: &field::Value) -> Result<Self, NotText> {
        Ok(match value {
            field::Value::Void => Self::Void,
            field::Value::Bool(truth) => Self::Bool(*truth),
            field::Value::I8(n) => Self::I8(*n),
            field::Value::U8(n) => Self::U8(*n),
            field::Value::I16(n) => Self::I16(*n),
            field::Value::U16(n) => Self::U16(*n),
            field::Value::I32(n) => Self::I32(*n),
            field::Value::U32(n) => Self::U32(*n),
            field::Value::I64(n) => Self::I64(*n),
            field::Value::F32(x) => Self::F32(*x),
            field::Value::F64(x) => Self::F64(*x),
            field::Value::Decimal(decimal) => Self::Decimal { scale: decimal.scale, value: decimal.value },
            field::Value::LongString(text) => match text.as_str() {
                Some(text) => Self::LongString(text.to_owned()),
                None => return Err(NotText { place: format!("the bytes {:?}", &text[..]) }),
            },
            field::Value::Bytes(bytes) => Self::Bytes(bytes.to_vec()),
            field::Value::Array(items) => {
                Self::Array(items.iter().map(Self::try_from).collect::<Result<_, _>>()?)
            }
            field::Value::Timestamp(seconds) => Self::Timestamp(*seconds),
            field::Value::Table(table) => Self::Table(Table::try_from(table)?),
            other => return Err(NotText { place: format!("a value of the type '{}'", other.type_letter()) }),
        })
    }
}

impl TryFrom<&field::Table> for Table {
    type Error = NotText;

    fn try_from(table: &field::Table) -> Result<Self, NotText> {
        let entry = |(name, value): (&field::ShortString, &field::Value)| {
            let value = Value::try_from(value).map_err(|error| error.within(name))?;
            Ok((name.to_string(), value))
        };
        table.iter().map(entry).collect()
    }
}

impl From<&Value> for field::Value {
    fn from(value: &Value) -> Self {
        match value {
            Value::Void => Self::Void,
            Value::Bool(truth) => Self::Bool(*truth),
            Value::I8(n) => Self::I8(*n),
            Value::U8(n) => Self::U8(*n),
            Value::I16(n) => Self::I16(*n),
            Value::U16(n) => Self::U16(*n),
            Value::I32(n) => Self::I32(*n),
            Value::U32(n) => Self::U32(*n),
            Value::I64(n) => Self::I64(*n),
            Value::F32(x) => Self::F32(*x),
            Value::F64(x) => Self::F64(*x),
            Value::Decimal { scale, value } => Self::Decimal(field::Decimal { scale: *scale, value: *value }),
            Value::LongString(text) => Self::LongString(text.as_str().into()),
            Value::Bytes(bytes) => Self::Bytes(bytes.as_slice().into()),
            Value::Array(items) => Self::Array(items.iter().map(Self::from).collect()),
            Value::Timestamp(seconds) => Self::Timestamp(*seconds),
            Value::Table(table) => Self::Table(table.into()),
        }
    }
}

impl From<&Table> for field::Table {
    /// # Panics
    ///
    /// Panics if a name is longer than 255 bytes, which AMQP cannot send.
    fn from(table: &Table) -> Self {
        let name = |name: &String| {
            field::ShortString::try_from(name.as_str()).expect("names of entries have at most 255 bytes")
        };
        table.in_order().map(|(key, value)| (name(key), field::Value::from(value))).collect()
    }
}

impl Topology {
    /// Declares what a server declares. Call it with the plans of several servers to get their common topology.
    ///
    /// # Errors
    ///
    /// The error of a node: 406 if two servers declare a name differently.
    pub fn declare_plan(&mut self, plan: &Plan) -> Result<(), BrokerError> {
        for exchange in &plan.exchanges {
            let exchange = self.exchange_of(exchange)?;
            self.declare_exchange(exchange)?;
        }
        for queue in &plan.queues {
            self.declare_queue(queue_of(queue)?)?;
        }
        for binding in &plan.bindings {
            self.bind(binding_of(binding)?)?;
        }
        Ok(())
    }

    fn exchange_of(&self, exchange: &transport::Exchange) -> Result<Exchange, BrokerError> {
        let name = exchange.kind.as_str();
        let kind = ExchangeType::of(name).ok_or_else(|| self.unknown_type(name))?;
        Ok(Exchange {
            durable: exchange.durable,
            auto_delete: exchange.auto_delete,
            internal: exchange.internal,
            arguments: arguments_of(&exchange.arguments)?,
            ..Exchange::new(exchange.name.as_str(), kind)
        })
    }
}

impl TryFrom<&Plan> for Topology {
    type Error = BrokerError;

    /// Returns the topology that one server declares.
    fn try_from(plan: &Plan) -> Result<Self, BrokerError> {
        let mut topology = Self::new();
        topology.declare_plan(plan)?;
        Ok(topology)
    }
}

fn queue_of(queue: &transport::Queue) -> Result<Queue, BrokerError> {
    Ok(Queue {
        durable: queue.durable,
        exclusive: queue.exclusive,
        auto_delete: queue.auto_delete,
        arguments: arguments_of(&queue.arguments)?,
        ..Queue::new(queue.name.as_str())
    })
}

fn binding_of(binding: &transport::Binding) -> Result<Binding, BrokerError> {
    let destination = match &binding.destination {
        transport::Destination::Queue(name) => Destination::Queue(name.to_string()),
        transport::Destination::Exchange(name) => Destination::Exchange(name.to_string()),
    };
    Ok(Binding {
        source: binding.source.to_string(),
        destination,
        routing_key: binding.routing_key.to_string(),
        arguments: arguments_of(&binding.arguments)?,
    })
}

fn arguments_of(arguments: &field::Table) -> Result<Table, BrokerError> {
    Table::try_from(arguments).map_err(BrokerError::syntax_error)
}

impl From<&tavrida::Service> for crate::services::Service {
    /// Returns what a service declares: the methods that it answers, the answers and errors that it handles and therefore calls for, its
    /// subscriptions, and the events that it [emits](tavrida::Service::emits). Its asks are not declared anywhere: add them.
    fn from(service: &tavrida::Service) -> Self {
        let names = |kind| service.entry_points(kind).into_iter().map(|name| name.as_str().to_owned());
        let mut node = Self::new(service.name());
        let methods = names(MessageKind::Request);
        node.methods = methods.map(|name| crate::services::split(&name).1.to_owned()).collect();
        node.on_response = names(MessageKind::Response).collect();
        node.on_error = names(MessageKind::Error).collect();
        node.calls = node.on_response.union(&node.on_error).cloned().collect();
        node.subscriptions = service.subscriptions().iter().map(ToString::to_string).collect();
        node.events = service.emitted().iter().map(ToString::to_string).collect();
        node
    }
}
