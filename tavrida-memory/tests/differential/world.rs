//! [`World`]: the memory broker's side of a run, which predicts the output.

use std::sync::Arc;

use tavrida::field::ShortString;
use tavrida::transport::Publication;
use tavrida_memory::core::{
    Broker, ChannelId, Command, Config, ConnectionId, Effect, Effects, Method, MethodReply, Now, RabbitMq,
};

use crate::action::{self, Action};
use crate::guard;
use crate::heard::{Heard, Report, Said};
use crate::names::{Names, short};
use crate::program::{AUDITOR, CHANNELS, CONNECTIONS, Mode, Op, Program, Step, Tag};
use crate::shadow::Shadow;

/// The memory broker with its clients.
pub(crate) struct World {
    pub(crate) broker: Broker,
    pub(crate) version: RabbitMq,
    /// The knowledge of the clients.
    pub(crate) shadow: Shadow,
    names: Names,
    modes: Program,
    effects: Effects,
    /// The time, in milliseconds.
    elapsed: u64,
}

/// One step for the other side, and its expected output.
#[derive(Debug, Clone)]
pub(crate) struct Prediction {
    pub(crate) channel: ChannelId,
    pub(crate) action: Action,
    pub(crate) report: Report,
    /// Whether queues may continue to work after all output has come.
    pub(crate) goes_on: bool,
    /// The step of the program, as text. `None` for steps around it.
    pub(crate) step: String,
}

impl World {
    /// Creates a broker with channels opened as a program needs them.
    pub(crate) fn new(version: RabbitMq, vhost: &str, modes: [Mode; 4]) -> Self {
        let virtual_host = short(vhost);
        let mut world = Self {
            broker: Broker::new(Config { virtual_host, behaviour: version.into(), ..Default::default() }),
            version,
            shadow: Shadow::default(),
            names: Names::default(),
            modes: Program { modes, steps: Vec::new() },
            effects: Effects::new(),
            elapsed: 0,
        };
        for connection in CONNECTIONS.into_iter().chain([AUDITOR]) {
            world.connect(connection);
        }
        world
    }

    fn connect(&mut self, connection: ConnectionId) {
        self.apply(Command::Connect { connection, options: Default::default() });
        for number in 1..=CHANNELS {
            self.open(connection.channel(number));
        }
        self.effects.clear();
    }

    /// Opens a channel, again or for the first time.
    fn open(&mut self, channel: ChannelId) {
        self.apply(Command::Method { channel, method: Method::ChannelOpen });
        if let Some(method) = select(self.modes.mode(channel)) {
            self.apply(Command::Method { channel, method });
        }
        self.shadow.reset(channel);
    }

    fn apply(&mut self, command: Command) {
        self.broker.apply(Now::millis(self.elapsed), command, &mut self.effects);
    }

    /// Executes a step. `None` if its outcome depends on chance, or on a bug of RabbitMQ.
    pub(crate) fn step(&mut self, step: &Step) -> Option<Prediction> {
        let action = match &step.op {
            Op::Call(method) => Action::Call(method.clone()),
            Op::Settle(settle) => {
                let tag = match settle.tag {
                    Tag::Nth(n) => self.shadow.nth_unacked(step.channel, n).unwrap_or(1),
                    Tag::Number(n) => n,
                };
                Action::Call(settle.into_method(tag))
            }
            Op::CloseConnection => Action::CloseConnection,
            Op::Abort => Action::Abort,
            Op::Operate(operator) => Action::Operate(operator.clone()),
            Op::Together(calls) => Action::Together(calls.clone()),
            Op::Wait(millis) => Action::Wait(*millis),
        };
        if guard::vetoes(self, step.channel, &action) {
            return None;
        }
        let mut prediction = self.act(step.channel, action);
        prediction.step = crate::text::print_step(step);
        Some(prediction)
    }

    /// Executes an action. Returns its expected output.
    pub(crate) fn act(&mut self, channel: ChannelId, action: Action) -> Prediction {
        let existed = action::declares(&action).map(|name| self.exists(name));
        match &action {
            Action::Call(method) => self.call(channel, method),
            Action::Together(calls) => {
                for (on, method) in calls {
                    let existed = action::declared(method).is_some_and(|name| self.exists(name));
                    self.call(*on, method);
                    // Answers to the calls of one channel are known together only; none of these matters.
                    if is_pipeline(calls) && self.broker.is_open(*on) {
                        self.shadow.note_method(*on, method, existed, &Heard::default());
                    }
                }
            }
            Action::Operate(operator) => {
                self.shadow.note_operator(operator);
                self.apply(Command::Operator(operator.clone()));
            }
            Action::Abort => {
                let connection = channel.connection;
                self.apply(Command::Abort { connection });
                for number in 1..=CHANNELS {
                    self.shadow.reset(connection.channel(number));
                }
            }
            Action::CloseConnection => self.apply(Command::Close { connection: channel.connection }),
            Action::Wait(millis) => {
                self.elapsed += millis;
                self.apply(Command::Tick);
            }
        }
        let goes_on = action::goes_on(self.modes.mode(channel), &action)
            || (self.shadow.dead_letters && action::moves(&action));
        let mut report = Report::default();
        self.hear(&mut report);
        let (goes_on, report) = self.recover(goes_on, report);
        if matches!(action, Action::Abort) {
            self.reconnect(channel.connection);
        }
        if let Action::Together(calls) = &action
            && !is_pipeline(calls)
        {
            for (on, method) in
                calls.iter().filter(|(on, _)| !report.0.contains_key(&on.connection.channel(0)))
            {
                // Declarations of one queue on two channels do not commute.
                self.shadow.note_call(*on, method, false, &report);
            }
        }
        let ended = |heard: &Heard| {
            heard.said.iter().any(|said| matches!(said, Said::Closed(_) | Said::ConnectionCloseOk))
        };
        if !report.0.get(&channel.connection.channel(0)).is_some_and(ended) {
            self.shadow.note(channel, &action, existed.unwrap_or(false), &report);
        }
        Prediction { channel, action, report, goes_on, step: String::new() }
    }

    fn call(&mut self, channel: ChannelId, method: &Method) {
        let mut method = method.clone();
        self.names.resolve(&mut method);
        self.apply(Command::Method { channel, method });
    }

    pub(crate) fn mode(&self, channel: ChannelId) -> Mode {
        self.modes.mode(channel)
    }

    /// Connects again after the end of a step.
    fn reconnect(&mut self, connection: ConnectionId) {
        let before = std::mem::take(&mut self.effects);
        self.connect(connection);
        self.effects = before;
    }

    /// Returns the broker as it would be after an action, and the action's effects.
    pub(crate) fn after(&self, channel: ChannelId, action: &Action) -> (Broker, Effects) {
        let call = |(channel, method): &(ChannelId, Method)| {
            let mut method = method.clone();
            self.names.resolve(&mut method);
            Command::Method { channel: *channel, method }
        };
        let connection = channel.connection;
        let (mut now, mut commands) = (self.elapsed, Vec::new());
        match action {
            Action::Call(method) => commands.push(call(&(channel, method.clone()))),
            Action::Together(calls) => commands.extend(calls.iter().map(call)),
            Action::Operate(operator) => commands.push(Command::Operator(operator.clone())),
            Action::Abort => commands.push(Command::Abort { connection }),
            Action::CloseConnection => commands.push(Command::Close { connection }),
            Action::Wait(millis) => {
                now += millis;
                commands.push(Command::Tick);
            }
        }
        let (mut copy, mut effects) = (self.broker.clone(), Effects::new());
        for command in commands {
            copy.apply(Now::millis(now), command, &mut effects);
        }
        (copy, effects)
    }

    /// Returns whether up to three calls have the same outcome in every order, for what follows too.
    pub(crate) fn commute(&self, calls: &[(ChannelId, Method)]) -> bool {
        let orders: &[&[usize]] = match calls.len() {
            2 => &[&[0, 1], &[1, 0]],
            _ => &[&[0, 1, 2], &[0, 2, 1], &[1, 0, 2], &[1, 2, 0], &[2, 0, 1], &[2, 1, 0]],
        };
        let outcome = |order: &&[usize]| {
            let mut copy = self.broker.clone();
            let mut heard = Report::default();
            for place in *order {
                let (channel, mut method) = calls[*place].clone();
                self.names.resolve(&mut method);
                self.try_call(&mut copy, channel, method, &mut heard);
            }
            let state = copy.snapshot().to_string();
            // Which consumer is next is seen only when something is delivered.
            let prober = ConnectionId(98);
            copy.apply(
                Now::millis(self.elapsed),
                Command::Connect { connection: prober, options: Default::default() },
                &mut Effects::new(),
            );
            self.try_call(&mut copy, prober.channel(1), Method::ChannelOpen, &mut heard);
            let probes = |queue| ["1", "2", "3", "4", "5", "6"].map(|body| (queue, body));
            for (queue, body) in self.shadow.queues.keys().flat_map(probes) {
                let probe = Publication::new(ShortString::default(), queue.clone(), body);
                let probe = Method::BasicPublish { publication: Arc::new(probe), immediate: false };
                self.try_call(&mut copy, prober.channel(1), probe, &mut heard);
            }
            (heard, state)
        };
        let first = outcome(&orders[0]);
        orders[1..].iter().all(|order| outcome(order) == first)
    }

    fn try_call(&self, broker: &mut Broker, channel: ChannelId, method: Method, heard: &mut Report) {
        let mut effects = Effects::new();
        broker.apply(Now::millis(self.elapsed), Command::Method { channel, method }, &mut effects);
        for (channel, said) in effects.into_iter().filter_map(Said::of) {
            heard.say(channel, said);
        }
        for channel in broker.sending() {
            while let Some(arrival) = broker.take(channel) {
                heard.arrive(channel, arrival);
            }
        }
    }

    /// Collects what was sent and what arrived since the last time.
    fn hear(&mut self, report: &mut Report) {
        for effect in std::mem::take(&mut self.effects) {
            let closed = match &effect {
                Effect::ConnectionClosed { connection, .. } | Effect::ConnectionCloseOk { connection } => {
                    Some(connection.channel(0))
                }
                Effect::ChannelClosed { channel, .. } => Some(*channel),
                _ => None,
            };
            if let Some(channel) = closed {
                report.forget(channel);
            }
            if let Some((channel, mut said)) = Said::of(effect) {
                self.names.normalise_said(&mut said);
                report.say(channel, said);
            }
        }
        for channel in self.broker.sending() {
            while let Some(mut arrival) = self.broker.take(channel) {
                self.names.normalise_arrival(&mut arrival);
                report.arrive(channel, arrival);
            }
        }
    }

    /// Opens again what was closed. The resulting output belongs to the same step.
    fn recover(&mut self, goes_on: bool, mut report: Report) -> (bool, Report) {
        let closed: Vec<ChannelId> = report.0.keys().copied().collect();
        let mut lost = false;
        for channel in closed {
            let Some(last) = report.0.get(&channel).and_then(|heard| heard.said.last()) else { continue };
            match last {
                Said::Closed(_) | Said::ConnectionCloseOk if channel.number == 0 => {
                    lost = true;
                    if channel.connection != AUDITOR {
                        self.connect(channel.connection);
                    }
                }
                Said::Closed(_) => {
                    lost = true;
                    self.apply(Command::Method { channel, method: Method::ChannelCloseOk });
                    self.reopen(channel, &mut report);
                }
                Said::Reply(MethodReply::ChannelCloseOk) => {
                    lost = true;
                    self.reopen(channel, &mut report);
                }
                _ => {}
            }
        }
        (goes_on || lost, report)
    }

    fn reopen(&mut self, channel: ChannelId, report: &mut Report) {
        self.effects.clear();
        self.open(channel);
        self.effects.clear();
        self.hear(report);
    }

    /// Returns the name by which programs call a queue or a consumer.
    pub(crate) fn symbol(&self, name: &ShortString) -> ShortString {
        self.names.symbol(name.clone())
    }

    /// Returns the existing queues.
    pub(crate) fn queues(&self) -> Vec<ShortString> {
        self.broker.snapshot().queues.into_iter().map(|queue| self.names.symbol(queue.name)).collect()
    }

    /// Returns the declared exchanges.
    pub(crate) fn exchanges(&self) -> Vec<ShortString> {
        let names = self.broker.snapshot().exchanges.into_iter().map(|exchange| exchange.name);
        names.filter(|name| !name.starts_with("amq.") && !name.is_empty()).collect()
    }

    /// Returns whether a queue exists. Looked up in a copy, to have no effect.
    pub(crate) fn exists(&self, queue: &str) -> bool {
        self.counts(queue).is_some()
    }

    /// Returns the ready messages and consumers of a queue; zeros for one that is exclusive to another connection.
    pub(crate) fn counts(&self, queue: &str) -> Option<(u32, u32)> {
        let mut copy = self.broker.clone();
        let mut effects = Effects::new();
        let probe = ConnectionId(99);
        let channel = probe.channel(1);
        let declare =
            tavrida_memory::core::QueueDeclare { queue: short(queue), passive: true, ..Default::default() };
        for command in [
            Command::Connect { connection: probe, options: Default::default() },
            Command::Method { channel, method: Method::ChannelOpen },
            Command::Method { channel, method: Method::QueueDeclare(declare) },
        ] {
            copy.apply(Now::default(), command, &mut effects);
        }
        match effects.as_slice().last() {
            Some(Effect::Reply {
                reply: MethodReply::QueueDeclareOk { message_count, consumer_count, .. },
                ..
            }) => Some((*message_count, *consumer_count)),
            Some(Effect::ChannelClosed { reason, .. }) if reason.code == 405 => Some((0, 0)),
            _ => None,
        }
    }
}

/// Returns whether all calls are on one channel.
fn is_pipeline(calls: &[(ChannelId, Method)]) -> bool {
    calls.iter().all(|(channel, _)| *channel == calls[0].0)
}

/// Returns the method that sets a channel's mode.
pub(crate) fn select(mode: Mode) -> Option<Method> {
    match mode {
        Mode::Confirm => Some(Method::ConfirmSelect { nowait: false }),
        Mode::Plain => None,
        Mode::Transaction => Some(Method::TxSelect),
    }
}
