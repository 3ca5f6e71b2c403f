//! Generated names: each side generates its own, and both are compared by order of appearance.

use std::sync::Arc;

use tavrida::field::{ShortString, Table, Value};
use tavrida::transport::Publication;
use tavrida_memory::core::{Arrival, Method, MethodReply};

use crate::heard::Said;

/// The generated names of one side, each with its symbol.
#[derive(Debug, Default)]
pub(crate) struct Names(Vec<(String, String)>);

const KINDS: [(&str, &str, usize); 3] =
    [("amq.gen-", "$q", 30), ("amq.ctag-", "$c", 31), ("amq.rabbitmq.reply-to.", "$r", 0)];

impl Names {
    /// Learns a name if it is a generated one and new. Its length must be RabbitMQ's (R49).
    fn learn(&mut self, name: &str) {
        let Some((_, symbol, length)) = KINDS.iter().find(|(prefix, ..)| name.starts_with(prefix)) else {
            return;
        };
        let shaped = *length == 0 || name.len() == *length;
        if shaped && !self.0.iter().any(|(known, _)| known == name) {
            let number = 1 + self.0.iter().filter(|(_, known)| known.starts_with(symbol)).count();
            self.0.push((name.to_owned(), format!("{symbol}{number}")));
        }
    }

    /// Learns the queue names in a text: an error may be the first to contain one.
    fn learn_within(&mut self, text: &str) {
        let (prefix, _, length) = KINDS[0];
        for (place, _) in text.match_indices(prefix) {
            if let Some(name) = text.get(place..place + length) {
                self.learn(name);
            }
        }
    }

    fn symbolic(&self, text: &str) -> Option<String> {
        if !text.contains("amq.") {
            return None;
        }
        let replaced = self.0.iter().fold(text.to_owned(), |text, (name, symbol)| text.replace(name, symbol));
        (replaced != text).then_some(replaced)
    }

    fn shorten(&self, name: &mut ShortString) {
        if let Some(symbol) = self.symbolic(name) {
            *name = short(&symbol);
        }
    }

    /// Returns the symbol of a generated name; any other name as it is.
    pub(crate) fn symbol(&self, mut name: ShortString) -> ShortString {
        self.shorten(&mut name);
        name
    }

    fn actual(&self, name: &mut ShortString) {
        if name.starts_with('$')
            && let Some((actual, _)) = self.0.iter().find(|(_, symbol)| *symbol == name.as_str())
        {
            *name = short(actual);
        }
    }

    /// Replaces symbols with this side's names.
    pub(crate) fn resolve(&self, method: &mut Method) {
        match method {
            Method::QueueDeclare(declare) => self.actual(&mut declare.queue),
            Method::QueueBind(bind) | Method::QueueUnbind(bind) => {
                self.actual(&mut bind.queue);
                self.actual(&mut bind.routing_key);
            }
            Method::QueuePurge { queue, .. }
            | Method::QueueDelete { queue, .. }
            | Method::BasicGet { queue, .. } => self.actual(queue),
            Method::BasicConsume(consume) => self.actual(&mut consume.queue),
            Method::BasicCancel { consumer_tag, .. } => self.actual(consumer_tag),
            Method::BasicPublish { publication, .. } if publication.routing_key.starts_with('$') => {
                self.actual(&mut Arc::make_mut(publication).routing_key);
            }
            _ => {}
        }
    }

    /// Learns the names in an answer and replaces them with symbols.
    pub(crate) fn normalise_said(&mut self, said: &mut Said) {
        match said {
            Said::Reply(MethodReply::QueueDeclareOk { queue: name, .. })
            | Said::Reply(MethodReply::BasicConsumeOk { consumer_tag: name })
            | Said::Reply(MethodReply::BasicCancelOk { consumer_tag: name }) => {
                self.learn(name);
                self.shorten(name);
            }
            Said::Reply(MethodReply::BasicGetOk(got)) => self.normalise(&mut got.publication),
            Said::Return { publication, .. } => self.normalise(publication),
            Said::Closed(reason) => {
                self.learn_within(&reason.text);
                if let Some(text) = self.symbolic(&reason.text) {
                    reason.text = text;
                }
            }
            _ => {}
        }
    }

    /// Learns the names in an arrival and replaces them with symbols.
    pub(crate) fn normalise_arrival(&mut self, arrival: &mut Arrival) {
        match arrival {
            Arrival::Delivery(delivered) => {
                self.shorten(&mut delivered.consumer_tag);
                self.normalise(&mut delivered.publication);
            }
            Arrival::Cancel { consumer_tag } => self.shorten(consumer_tag),
        }
    }

    /// Normalises a message for comparison: removes what only a publisher sets, and times.
    fn normalise(&mut self, publication: &mut Arc<Publication>) {
        let message = Arc::make_mut(publication);
        message.mandatory = false;
        self.shorten(&mut message.routing_key);
        if let Some(reply_to) = &mut message.properties.reply_to {
            self.learn(reply_to);
            self.shorten(reply_to);
        }
        if let Some(headers) = &mut message.properties.headers {
            self.normalise_table(headers);
        }
    }

    fn normalise_table(&self, table: &mut Table) {
        let names: Vec<ShortString> = table.iter().map(|(name, _)| name.clone()).collect();
        for name in names {
            let value = table.get_mut(&name).expect("the name is the table's own");
            match value {
                Value::Timestamp(time) if name == "time" => *time = 0,
                value => self.normalise_value(value),
            }
        }
    }

    fn normalise_value(&self, value: &mut Value) {
        match value {
            Value::Table(table) => self.normalise_table(table),
            Value::Array(items) => items.iter_mut().for_each(|item| self.normalise_value(item)),
            Value::LongString(_) => {
                if let Some(symbol) = value.as_str().and_then(|text| self.symbolic(text)) {
                    *value = symbol.into();
                }
            }
            _ => {}
        }
    }
}

/// Returns a short string from a text that is known to be short.
pub(crate) fn short(text: &str) -> ShortString {
    ShortString::try_from(text).expect("names in programs have at most 255 bytes")
}
