//! [`Definitions`]: virtual hosts, users and topology, from a file of RabbitMQ's.

use std::collections::BTreeMap;
use std::error;
use std::fmt;

use serde::Deserialize;
use serde_json::{Map, Value as Json};
use tavrida::field::{ShortString, Table, Value};

use super::listen::PortBuilder;
use super::password::Password;
use crate::core::{
    Broker, CloseReason, Command, Config, ConnectionId, ConnectionOptions, Effect, Effects, ExchangeBind,
    ExchangeDeclare, Method, Now, Operator, Permissions, Policy, QueueBind, QueueDeclare, RabbitMq,
};
use crate::shell::MemoryBroker;

/// Definitions as `rabbitmqctl export_definitions` writes them: virtual hosts, users, permissions, policies, exchanges,
/// queues and bindings. Other members, such as the parameters of plugins, are ignored.
///
/// ```
/// use tavrida_memory::RabbitMq;
/// use tavrida_memory::port::Definitions;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let definitions = Definitions::parse(r#"{
///     "queues": [{"name": "orders", "vhost": "/", "durable": true, "auto_delete": false, "arguments": {}}]
/// }"#)?;
/// let port = definitions.port(RabbitMq::V4_0)?.listen("127.0.0.1:0").await?;
/// # drop(port);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Deserialize)]
pub struct Definitions {
    #[serde(default)]
    vhosts: Vec<VirtualHost>,
    #[serde(default)]
    users: Vec<User>,
    permissions: Option<Vec<Permission>>,
    #[serde(default)]
    policies: Vec<PolicyObject>,
    #[serde(default)]
    exchanges: Vec<ExchangeDefinition>,
    #[serde(default)]
    queues: Vec<QueueDefinition>,
    #[serde(default)]
    bindings: Vec<BindingDefinition>,
}

#[derive(Debug, Clone, Deserialize)]
struct VirtualHost {
    name: String,
    default_queue_type: Option<String>,
    #[serde(default)]
    metadata: Map<String, Json>,
}

#[derive(Debug, Clone, Deserialize)]
struct User {
    name: String,
    password: Option<String>,
    password_hash: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct Permission {
    user: String,
    vhost: String,
    #[serde(default = "all")]
    configure: String,
    #[serde(default = "all")]
    write: String,
    #[serde(default = "all")]
    read: String,
}

#[derive(Debug, Clone, Deserialize)]
struct PolicyObject {
    #[serde(default = "root")]
    vhost: String,
    name: String,
    pattern: String,
    #[serde(default, rename = "apply-to")]
    apply_to: Option<String>,
    #[serde(default)]
    priority: i32,
    definition: Map<String, Json>,
}

#[derive(Debug, Clone, Deserialize)]
struct ExchangeDefinition {
    name: String,
    #[serde(default = "root")]
    vhost: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default = "yes")]
    durable: bool,
    #[serde(default)]
    auto_delete: bool,
    #[serde(default)]
    internal: bool,
    #[serde(default)]
    arguments: Map<String, Json>,
}

#[derive(Debug, Clone, Deserialize)]
struct QueueDefinition {
    name: String,
    #[serde(default = "root")]
    vhost: String,
    #[serde(default = "yes")]
    durable: bool,
    #[serde(default)]
    auto_delete: bool,
    #[serde(default)]
    arguments: Map<String, Json>,
}

#[derive(Debug, Clone, Deserialize)]
struct BindingDefinition {
    source: String,
    #[serde(default = "root")]
    vhost: String,
    destination: String,
    destination_type: String,
    routing_key: String,
    #[serde(default)]
    arguments: Map<String, Json>,
}

fn root() -> String {
    "/".to_owned()
}

fn all() -> String {
    ".*".to_owned()
}

fn yes() -> bool {
    true
}

/// Definitions that cannot be read, or that a broker refuses.
#[derive(Debug)]
pub struct DefinitionsError(String);

impl fmt::Display for DefinitionsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "definitions: {}", self.0)
    }
}

impl error::Error for DefinitionsError {}

impl Definitions {
    /// Reads a document.
    ///
    /// # Errors
    ///
    /// It is no JSON, or members are missing or of another type.
    pub fn parse(document: &str) -> Result<Self, DefinitionsError> {
        serde_json::from_str(document).map_err(|error| DefinitionsError(error.to_string()))
    }

    /// Creates a broker for each virtual host, and returns the builder of their port. The user guest exists besides the listed ones, and
    /// so does the virtual host `/` if none is listed.
    ///
    /// # Errors
    ///
    /// A virtual host is missing, or a broker refuses an object.
    pub fn port(&self, version: RabbitMq) -> Result<PortBuilder, DefinitionsError> {
        let mut hosts = BTreeMap::new();
        for host in &self.vhosts {
            hosts.insert(host.name.as_str(), Loader::new(&host.name, version, host.quorum_by_default())?);
        }
        if hosts.is_empty() {
            hosts.insert("/", Loader::new("/", version, false)?);
        }
        self.load(&mut hosts)?;
        let mut brokers = hosts.into_values().map(Loader::finish);
        let first = brokers.next().expect("there is a virtual host");
        let mut port = brokers.fold(PortBuilder::new(&first), |port, broker| port.virtual_host(&broker));
        for user in &self.users {
            let hash = user.password_hash.as_deref().and_then(Password::hashed);
            if let Some(password) = user.password.as_deref().map(Password::plain).or(hash) {
                port = port.login(&user.name, password);
            }
        }
        if let Some(permissions) = &self.permissions {
            let permitted = permissions.iter().map(|Permission { user, vhost, configure, write, read }| {
                Ok(((user.clone(), vhost.clone()), Permissions::new(configure, write, read)?))
            });
            let permitted = permitted.collect::<Result<Vec<_>, String>>().map_err(DefinitionsError)?;
            port = port.permissions(permitted.into_iter());
        }
        Ok(port)
    }

    fn load(&self, hosts: &mut BTreeMap<&str, Loader>) -> Result<(), DefinitionsError> {
        for policy in &self.policies {
            host(hosts, &policy.vhost)?.policy(policy)?;
        }
        for exchange in self.exchanges.iter().filter(|exchange| !is_predeclared(&exchange.name)) {
            host(hosts, &exchange.vhost)?.call(exchange.declare()?)?;
        }
        for queue in &self.queues {
            host(hosts, &queue.vhost)?.call(queue.declare()?)?;
        }
        for binding in self.bindings.iter().filter(|binding| !binding.source.is_empty()) {
            host(hosts, &binding.vhost)?.call(binding.bind()?)?;
        }
        Ok(())
    }
}

fn is_predeclared(exchange: &str) -> bool {
    exchange.is_empty() || exchange.starts_with("amq.")
}

fn host<'a>(hosts: &'a mut BTreeMap<&str, Loader>, name: &str) -> Result<&'a mut Loader, DefinitionsError> {
    hosts.get_mut(name).ok_or_else(|| DefinitionsError(format!("virtual host '{name}' is not listed")))
}

impl VirtualHost {
    fn quorum_by_default(&self) -> bool {
        let written = self.metadata.get("default_queue_type").and_then(Json::as_str);
        self.default_queue_type.as_deref().or(written) == Some("quorum")
    }
}

impl ExchangeDefinition {
    fn declare(&self) -> Result<Method, DefinitionsError> {
        Ok(Method::ExchangeDeclare(ExchangeDeclare {
            exchange: short(&self.name)?,
            kind: short(&self.kind)?,
            durable: self.durable,
            auto_delete: self.auto_delete,
            internal: self.internal,
            arguments: table(&self.arguments)?,
            ..ExchangeDeclare::default()
        }))
    }
}

impl QueueDefinition {
    fn declare(&self) -> Result<Method, DefinitionsError> {
        Ok(Method::QueueDeclare(QueueDeclare {
            queue: short(&self.name)?,
            durable: self.durable,
            auto_delete: self.auto_delete,
            arguments: table(&self.arguments)?,
            ..QueueDeclare::default()
        }))
    }
}

impl BindingDefinition {
    fn bind(&self) -> Result<Method, DefinitionsError> {
        let (source, destination) = (short(&self.source)?, short(&self.destination)?);
        let (routing_key, arguments) = (short(&self.routing_key)?, table(&self.arguments)?);
        let nowait = false;
        match &*self.destination_type {
            "queue" => {
                let (queue, exchange) = (destination, source);
                Ok(Method::QueueBind(QueueBind { queue, exchange, routing_key, nowait, arguments }))
            }
            "exchange" => {
                Ok(Method::ExchangeBind(ExchangeBind { destination, source, routing_key, nowait, arguments }))
            }
            other => {
                Err(DefinitionsError(format!("destination_type '{other}' is neither queue nor exchange")))
            }
        }
    }
}

/// A broker that is filled with definitions, by a connection of its own.
struct Loader {
    broker: Broker,
    effects: Effects,
}

const LOADER: ConnectionId = ConnectionId(0);

impl Loader {
    fn new(name: &str, version: RabbitMq, quorum_by_default: bool) -> Result<Self, DefinitionsError> {
        let virtual_host = short(name)?;
        let behaviour = version.into();
        let config = Config { virtual_host, behaviour, quorum_by_default, ..Config::default() };
        let mut loader = Self { broker: Broker::new(config), effects: Effects::new() };
        loader.apply(Command::Connect { connection: LOADER, options: ConnectionOptions::default() });
        loader.call(Method::ChannelOpen)?;
        Ok(loader)
    }

    fn apply(&mut self, command: Command) {
        self.effects.clear();
        self.broker.apply(Now::default(), command, &mut self.effects);
    }

    fn call(&mut self, method: Method) -> Result<(), DefinitionsError> {
        let channel = LOADER.channel(1);
        self.apply(Command::Method { channel, method });
        let refusal = self.effects.as_slice().iter().find_map(|effect| match effect {
            Effect::ChannelClosed { reason, .. } => Some(reason),
            Effect::ConnectionClosed { reason, .. } => reason.as_ref(),
            _ => None,
        });
        refusal
            .map_or(Ok(()), |CloseReason { code, text, .. }| Err(DefinitionsError(format!("{code} {text}"))))
    }

    fn policy(&mut self, object: &PolicyObject) -> Result<(), DefinitionsError> {
        let policy = Policy::from_definitions(
            short(&object.name)?,
            &object.pattern,
            object.apply_to.as_deref(),
            object.priority,
            &object.definition,
        );
        self.apply(Command::Operator(Operator::SetPolicy(policy.map_err(DefinitionsError)?)));
        Ok(())
    }

    fn finish(mut self) -> MemoryBroker {
        self.apply(Command::Close { connection: LOADER });
        MemoryBroker::builder().core(self.broker).build()
    }
}

fn short(text: &str) -> Result<ShortString, DefinitionsError> {
    ShortString::try_from(text).map_err(|_| DefinitionsError(format!("'{text}' is longer than 255 bytes")))
}

fn table(object: &Map<String, Json>) -> Result<Table, DefinitionsError> {
    object.iter().map(|(name, json)| Ok((short(name)?, value(json)?))).collect()
}

/// Returns a value of JSON with the type that RabbitMQ's import gives it.
fn value(json: &Json) -> Result<Value, DefinitionsError> {
    Ok(match json {
        Json::Null => Value::Void,
        Json::Bool(truth) => Value::Bool(*truth),
        Json::Number(number) => match number.as_i64() {
            Some(number) => Value::I64(number),
            None => Value::F64(number.as_f64().unwrap_or_default()),
        },
        Json::String(text) => text.as_str().into(),
        Json::Array(items) => Value::Array(items.iter().map(value).collect::<Result<_, _>>()?),
        Json::Object(members) => Value::Table(table(members)?),
    })
}
