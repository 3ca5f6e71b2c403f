//! [`Exchange`]: the broker's state of an exchange, and its routing table.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use tavrida::field::{ShortString, Table, Value};
use tavrida_behaviour::Behaviour;

use super::binding::{Bindings, Target};
use crate::core::keys::ExchangeKey;
use crate::core::message::routing_keys::RoutingKeys;
use crate::core::routing::{Comparison, DirectTable, FanoutTable, HeadersTable, TopicTable};

#[derive(Debug, Clone)]
pub(crate) struct Exchange {
    pub(crate) name: ShortString,
    pub(crate) durable: bool,
    pub(crate) auto_delete: bool,
    pub(crate) internal: bool,
    pub(crate) arguments: Table,
    /// The alternate exchange that a policy gives it, if its arguments give none.
    pub(crate) alternate_by_policy: Option<ShortString>,
    pub(crate) router: Router,
    /// The bindings whose source it is; clones of the exchange share them until they change.
    pub(crate) bindings: Arc<Bindings>,
    /// The bindings whose destination it is: their sources, and their indices there.
    pub(crate) incoming: BTreeSet<(ExchangeKey, u32)>,
}

/// The routing table of an exchange, by its type.
#[derive(Debug, Clone)]
pub(crate) enum Router {
    Direct(DirectTable<Target>),
    Fanout(FanoutTable<Target>),
    Topic(TopicTable<Target>),
    Headers(HeadersTable<Target>),
}

impl Router {
    /// Returns the table of a type of exchange. `None` for an unknown type.
    pub(crate) fn of(kind: &str, behaviour: &Behaviour) -> Option<Self> {
        Some(match kind {
            "direct" => Self::Direct(DirectTable::new()),
            "fanout" => Self::Fanout(FanoutTable::new()),
            "topic" => Self::Topic(TopicTable::new()),
            "headers" if behaviour.matches_numbers_by_type => {
                Self::Headers(HeadersTable::comparing(Comparison::ByType))
            }
            "headers" => Self::Headers(HeadersTable::new()),
            _ => return None,
        })
    }

    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Direct(_) => "direct",
            Self::Fanout(_) => "fanout",
            Self::Topic(_) => "topic",
            Self::Headers(_) => "headers",
        }
    }

    pub(crate) fn insert(&mut self, key: &ShortString, arguments: &Table, target: Target) {
        let bytes = || Bytes::copy_from_slice(key.as_bytes());
        match self {
            Self::Direct(table) => table.insert(bytes(), target),
            Self::Fanout(table) => table.insert(target),
            Self::Topic(table) => table.insert(&bytes(), target),
            Self::Headers(table) => {
                table
                    .insert(arguments, target)
                    .expect("the arguments were checked before the binding was made");
            }
        }
    }

    pub(crate) fn remove(&mut self, key: &ShortString, arguments: &Table, target: Target) {
        match self {
            Self::Direct(table) => table.remove(key.as_bytes(), target),
            Self::Fanout(table) => table.remove(target),
            Self::Topic(table) => table.remove(key.as_bytes(), target),
            Self::Headers(table) => table.remove(arguments, target),
        }
    }

    /// Pushes the targets of a message with one or several routing keys.
    pub(crate) fn route(&mut self, keys: &RoutingKeys<'_>, headers: &Table, into: &mut Vec<Target>) {
        match self {
            Self::Direct(table) => keys.each(|key| table.route(key, into)),
            Self::Fanout(table) => table.route(into),
            Self::Topic(table) => keys.each(|key| table.route(key, into)),
            Self::Headers(table) => table.route(headers, into),
        }
    }
}

impl Exchange {
    pub(crate) fn new(name: ShortString, router: Router) -> Self {
        Self {
            name,
            durable: false,
            auto_delete: false,
            internal: false,
            arguments: Table::new(),
            alternate_by_policy: None,
            router,
            bindings: Arc::default(),
            incoming: BTreeSet::new(),
        }
    }

    /// Returns the alternate exchange.
    pub(crate) fn alternate(&self) -> Option<&str> {
        let own = self.arguments.get("alternate-exchange").and_then(Value::as_str);
        own.or(self.alternate_by_policy.as_deref())
    }
}
