//! A broker for tests: short names for client operations, and results in the notation of the broker semantics (`t:3:b*` is a delivery to
//! consumer t with tag 3 and body b, redelivered).

mod methods;
mod values;
mod words;

use tavrida_memory::core::{
    Behaviour, Broker, ChannelId, CloseReason, Command, Config, ConnectionId, ConnectionOptions, Effect,
    Effects, Method, MethodReply, Now, Operator, RabbitMq,
};

pub(crate) use methods::*;
pub(crate) use values::*;

pub(crate) struct Rig {
    pub(crate) broker: Broker,
    millis: u64,
    effects: Effects,
    connections: u32,
    recording: Option<Vec<(Now, Command)>>,
}

/// The result of a method.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    Reply(MethodReply),
    Nothing,
    ChannelClosed(CloseReason),
    ConnectionClosed(CloseReason),
}

/// The outcome of a publish in confirm mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) returned: bool,
    pub(crate) ack: bool,
}

pub(crate) const ACK: Outcome = Outcome { returned: false, ack: true };
pub(crate) const NACK: Outcome = Outcome { returned: false, ack: false };
pub(crate) const RETURNED: Outcome = Outcome { returned: true, ack: true };

impl Rig {
    /// A broker like RabbitMQ 3.10.
    pub(crate) fn new() -> Self {
        Self::behaving(RabbitMq::V3_10.into())
    }

    pub(crate) fn behaving(behaviour: Behaviour) -> Self {
        Self::with(Config { behaviour, ..Config::default() })
    }

    pub(crate) fn with(config: Config) -> Self {
        Self {
            broker: Broker::new(config),
            millis: 0,
            effects: Effects::new(),
            connections: 0,
            recording: None,
        }
    }

    /// A rig with one connection and one channel in confirm mode.
    pub(crate) fn with_channel() -> (Self, ChannelId) {
        let mut rig = Self::new();
        let channel = rig.client();
        (rig, channel)
    }

    /// A rig like a version, with one connection and one channel in confirm mode.
    pub(crate) fn like(version: RabbitMq) -> (Self, ChannelId) {
        let mut rig = Self::behaving(version.into());
        let channel = rig.client();
        (rig, channel)
    }

    /// Starts to record commands.
    pub(crate) fn record(&mut self) {
        self.recording = Some(Vec::new());
    }

    pub(crate) fn recorded(self) -> Vec<(Now, Command)> {
        self.recording.unwrap_or_default()
    }

    // -- Time --

    pub(crate) fn now(&self) -> Now {
        // The wall clock began at second 1,000.
        Now { wall: 1000 + self.millis / 1000, ..Now::millis(self.millis) }
    }

    pub(crate) fn wait(&mut self, millis: u64) {
        self.millis += millis;
        self.apply(Command::Tick);
    }

    // -- Connections and channels --

    pub(crate) fn apply(&mut self, command: Command) -> Vec<Effect> {
        self.effects.clear();
        let now = self.now();
        self.recording.iter_mut().for_each(|recording| recording.push((now, command.clone())));
        self.broker.apply(now, command, &mut self.effects);
        self.effects.as_slice().to_vec()
    }

    pub(crate) fn connect(&mut self) -> ConnectionId {
        self.connect_with(ConnectionOptions::default())
    }

    pub(crate) fn connect_with(&mut self, options: ConnectionOptions) -> ConnectionId {
        self.connections += 1;
        let connection = ConnectionId(self.connections);
        self.apply(Command::Connect { connection, options });
        connection
    }

    /// Opens a connection with a channel in confirm mode.
    pub(crate) fn client(&mut self) -> ChannelId {
        let connection = self.connect();
        self.channel(connection, 1)
    }

    /// Opens a channel in confirm mode.
    pub(crate) fn channel(&mut self, connection: ConnectionId, number: u16) -> ChannelId {
        let channel = self.plain_channel(connection, number);
        self.ok(channel, Method::ConfirmSelect { nowait: false });
        channel
    }

    pub(crate) fn plain_channel(&mut self, connection: ConnectionId, number: u16) -> ChannelId {
        let channel = connection.channel(number);
        assert_eq!(self.call(channel, Method::ChannelOpen), Answer::Reply(MethodReply::ChannelOpenOk));
        channel
    }

    pub(crate) fn reopen(&mut self, channel: ChannelId) {
        self.call(channel, Method::ChannelCloseOk);
        self.channel(channel.connection, channel.number);
    }

    pub(crate) fn operate(&mut self, operator: Operator) -> Vec<Effect> {
        self.apply(Command::Operator(operator))
    }

    /// Calls a method. Returns its answer.
    pub(crate) fn call(&mut self, channel: ChannelId, method: Method) -> Answer {
        let effects = self.apply(Command::Method { channel, method });
        let mut answers = effects.into_iter().filter_map(|effect| match effect {
            Effect::Reply { channel: to, reply } if to == channel => Some(Answer::Reply(reply)),
            Effect::ChannelClosed { channel: of, reason } if of == channel => {
                Some(Answer::ChannelClosed(reason))
            }
            Effect::ConnectionClosed { reason: Some(reason), .. } => Some(Answer::ConnectionClosed(reason)),
            _ => None,
        });
        let answer = answers.next().unwrap_or(Answer::Nothing);
        assert_eq!(answers.next(), None, "a method has one answer");
        answer
    }

    /// Calls a method that must succeed.
    #[track_caller]
    pub(crate) fn ok(&mut self, channel: ChannelId, method: Method) -> Option<MethodReply> {
        match self.call(channel, method.clone()) {
            Answer::Reply(reply) => Some(reply),
            Answer::Nothing => None,
            refused => panic!("{method:?} was refused: {refused:?}\n{}", self.broker.snapshot()),
        }
    }

    /// Calls a method that must close the channel with this code and text; the channel is opened again.
    #[track_caller]
    pub(crate) fn refused(&mut self, channel: ChannelId, method: Method, code: u16, text: &str) {
        let id = method.id();
        match self.call(channel, method.clone()) {
            Answer::ChannelClosed(reason) => {
                assert_eq!((reason.code, reason.text.as_str()), (code, text));
                assert_eq!((reason.class, reason.method), id);
            }
            other => panic!("{method:?} was not refused: {other:?}"),
        }
        self.reopen(channel);
    }

    /// Calls a method that must close the connection.
    #[track_caller]
    pub(crate) fn fatal(&mut self, channel: ChannelId, method: Method, code: u16, text: &str) {
        match self.call(channel, method.clone()) {
            Answer::ConnectionClosed(reason) => assert_eq!((reason.code, reason.text.as_str()), (code, text)),
            other => panic!("{method:?} did not end the connection: {other:?}"),
        }
    }
}
