//! [`Real`]: the side of a run that has sockets, RabbitMQ's or that of a port, compared with the prediction.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::select_all;
use tavrida_memory::core::{Arrival, ChannelId, ConnectionId, Method, MethodReply, Operator};
use tokio::time::timeout;

use crate::action::{self, Action};
use crate::divergence::Divergence;
use crate::heard::{Report, Said};
use crate::names::Names;
use crate::peer::Peer;
use crate::program::{AUDITOR, CHANNELS, CONNECTIONS, Mode, Program};
use crate::wire::{Link, LinkError, Word};
use crate::world::{Prediction, select};

/// How long nothing may come before the broker is asked whether it has finished.
const PATIENCE: Duration = Duration::from_millis(300);
/// The limit of any wait for the broker.
const LIMIT: Duration = Duration::from_secs(60);

/// A broker with the clients of a run.
pub(crate) struct Real<'n> {
    peer: &'n Peer<'n>,
    vhost: &'n str,
    links: BTreeMap<ConnectionId, Link>,
    names: Names,
    modes: Program,
    /// Answers to the opening of channels.
    swallow: BTreeMap<ChannelId, usize>,
    /// Channels whose `channel.flow-ok` is awaited.
    flows: Vec<ChannelId>,
    /// Whether there is an alarm.
    alarm: bool,
    /// The channel that published during it.
    held: Option<ChannelId>,
    /// Channels that are being closed; channel 0 stands for its connection.
    closing: Vec<ChannelId>,
}

impl<'n> Real<'n> {
    /// Connects the clients of a program.
    pub(crate) async fn start(
        peer: &'n Peer<'n>,
        vhost: &'n str,
        modes: [Mode; 4],
    ) -> Result<Self, LinkError> {
        let mut real = Self {
            peer,
            vhost,
            links: BTreeMap::new(),
            names: Names::default(),
            modes: Program { modes, steps: Vec::new() },
            swallow: BTreeMap::new(),
            flows: Vec::new(),
            alarm: false,
            held: None,
            closing: Vec::new(),
        };
        for connection in CONNECTIONS {
            real.connect(connection).await?;
        }
        Ok(real)
    }

    async fn connect(&mut self, connection: ConnectionId) -> Result<(), LinkError> {
        let link = Link::connect(connection, self.peer.number(), self.vhost).await?;
        self.links.insert(connection, link);
        let channels = if connection == AUDITOR { 1 } else { CHANNELS };
        for number in 1..=channels {
            self.open(connection.channel(number));
        }
        Ok(())
    }

    fn open(&mut self, channel: ChannelId) {
        let mode = self.modes.mode(channel);
        let link = self.links.get_mut(&channel.connection).expect("a channel is opened on a connection");
        link.send(channel.number, &Method::ChannelOpen);
        let mut answers = 1;
        if let Some(method) = select(mode) {
            link.send(channel.number, &method);
            answers += 1;
        }
        self.swallow.insert(channel, answers);
    }

    /// Executes a predicted step and compares. `strict` checks for unpredicted output right after the step.
    pub(crate) async fn step(&mut self, wanted: &Prediction, strict: bool) -> Result<(), Divergence> {
        let mut report = Report::default();
        let done = timeout(LIMIT, self.try_step(wanted, strict, &mut report)).await;
        match done {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => {
                self.overhear(&mut report).await;
                Err(Divergence::new(self.peer.name(), wanted, &report, None))
            }
            Ok(Err(error)) => {
                Err(Divergence::new(self.peer.name(), wanted, &report, Some(error.to_string())))
            }
            Err(_) => Err(Divergence::new(
                self.peer.name(),
                wanted,
                &report,
                Some("nothing comes any more".to_owned()),
            )),
        }
    }

    async fn try_step(
        &mut self,
        wanted: &Prediction,
        strict: bool,
        report: &mut Report,
    ) -> Result<bool, LinkError> {
        let channel = wanted.channel;
        if !self.links.contains_key(&channel.connection) {
            self.connect(channel.connection).await?;
        }
        let link = self.links.get_mut(&channel.connection).expect("it was connected just now");
        match &wanted.action {
            Action::CloseConnection => {
                self.closing.push(channel.connection.channel(0));
                link.send_close();
            }
            Action::Operate(operator) => self.operate(operator).await?,
            Action::Wait(millis) => tokio::time::sleep(Duration::from_millis(*millis)).await,
            Action::Call(method) => self.call(channel, method),
            Action::Together(calls) => {
                for (channel, _) in calls {
                    if !self.links.contains_key(&channel.connection) {
                        self.connect(channel.connection).await?;
                    }
                }
                calls.iter().for_each(|(channel, method)| self.call(*channel, method));
            }
            Action::Abort => {
                // The socket breaks after all that was sent has come.
                link.flush().await?;
                self.links.remove(&channel.connection);
                self.forget(|other| other.connection == channel.connection);
            }
        }
        if !self.listen(&wanted.report, report).await? {
            return Ok(false);
        }
        let aborted = matches!(wanted.action, Action::Abort);
        if wanted.goes_on || strict || aborted {
            self.peer.queues(self.channels_expected(&wanted.report, aborted)).await?;
        }
        if strict { self.drain(&wanted.report, report).await } else { Ok(true) }
    }

    fn call(&mut self, channel: ChannelId, method: &Method) {
        let mut method = method.clone();
        self.names.resolve(&mut method);
        self.closing.extend((method == Method::ChannelClose).then_some(channel));
        let link = self.links.get_mut(&channel.connection).expect("it was connected just now");
        link.send(channel.number, &method);
        if self.alarm && matches!(method, Method::BasicPublish { .. }) {
            self.held = Some(channel);
        } else if action::is_silent(&method, self.modes.mode(channel)) {
            link.send(channel.number, &Method::ChannelFlow { active: true });
            self.flows.push(channel);
        }
    }

    async fn operate(&mut self, operator: &Operator) -> Result<(), LinkError> {
        self.peer.operate(operator).await?;
        match operator {
            Operator::Block { .. } => self.alarm = true,
            Operator::Unblock => {
                self.alarm = false;
                if let Some(channel) = self.held.take() {
                    let link = self.links.get_mut(&channel.connection).expect("what is held is connected");
                    link.send(channel.number, &Method::ChannelFlow { active: true });
                    self.flows.push(channel);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Returns how many channels should exist, after some may have been closed.
    fn channels_expected(&self, report: &Report, aborted: bool) -> Option<usize> {
        let closed = report.0.values().flat_map(|heard| &heard.said).any(|said| {
            matches!(
                said,
                Said::Closed(_) | Said::ConnectionCloseOk | Said::Reply(MethodReply::ChannelCloseOk)
            )
        });
        let count =
            |connection: &ConnectionId| if *connection == AUDITOR { 1 } else { usize::from(CHANNELS) };
        (closed || aborted).then(|| self.links.keys().map(count).sum())
    }

    /// Checks for unpredicted output.
    pub(crate) async fn finish(&mut self) -> Result<(), Divergence> {
        let mut report = Report::default();
        let nothing = Report::default();
        let wanted = Prediction {
            channel: AUDITOR.channel(1),
            action: Action::CloseConnection,
            report: nothing.clone(),
            goes_on: false,
            step: "(the end of the program)".to_owned(),
        };
        if let Err(error) = self.peer.queues(None).await {
            return Err(Divergence::new(self.peer.name(), &wanted, &report, Some(error.to_string())));
        }
        match self.drain(&nothing, &mut report).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Divergence::new(self.peer.name(), &wanted, &report, None)),
            Err(error) => Err(Divergence::new(self.peer.name(), &wanted, &report, Some(error.to_string()))),
        }
    }

    /// Everything that a queue has sent to a channel has come when the channel answers after it (R128).
    async fn drain(&mut self, wanted: &Report, report: &mut Report) -> Result<bool, LinkError> {
        self.ask();
        self.listen(wanted, report).await
    }

    /// Requests an answer on every channel.
    fn ask(&mut self) {
        let held = self.held.map(|channel| channel.connection);
        for (connection, link) in self.links.iter_mut().filter(|(id, _)| held != Some(**id)) {
            let channels = if *connection == AUDITOR { 1 } else { CHANNELS };
            let open = |number: &u16| {
                let closing = [connection.channel(0), connection.channel(*number)];
                !self.closing.iter().any(|channel| closing.contains(channel))
            };
            for number in (1..=channels).filter(open) {
                link.send(number, &Method::ChannelFlow { active: true });
                self.flows.push(connection.channel(number));
            }
        }
    }

    /// Listens until all expected output has come, or something else.
    async fn listen(&mut self, wanted: &Report, report: &mut Report) -> Result<bool, LinkError> {
        let mut asked = false;
        loop {
            let open = self.incomplete(wanted, report);
            if open.is_empty() {
                return Ok(true);
            }
            // Everything is sent before time is taken: an interrupted write would be a torn frame.
            for link in self.links.values_mut() {
                link.flush().await?;
            }
            // After its answers RabbitMQ still sends cancels for deleted queues.
            let answered = self.flows.is_empty() && self.swallow.is_empty();
            let patience = if asked && !answered { LIMIT } else { PATIENCE };
            match timeout(patience, self.next(&open)).await {
                Ok(None) => return Ok(false),
                Ok(Some(word)) => {
                    let (channel, word) = word?;
                    self.take(channel, word, wanted, report).await?;
                    if !report.begins(wanted) {
                        return Ok(false);
                    }
                }
                Err(_) if asked => return Ok(false),
                Err(_) => {
                    asked = true;
                    self.peer.queues(None).await?;
                    self.ask();
                }
            }
        }
    }

    /// Receives what else came, for the report of a divergence.
    async fn overhear(&mut self, report: &mut Report) {
        let nothing = Report::default();
        let all: Vec<ConnectionId> = self.links.keys().copied().collect();
        while let Ok(Some(Ok((channel, word)))) = timeout(PATIENCE, self.next(&all)).await {
            if self.take(channel, word, &nothing, report).await.is_err() {
                return;
            }
        }
    }

    /// Returns the next frame on any of these connections. `None` if no connection is open.
    async fn next(&mut self, among: &[ConnectionId]) -> Option<Result<(ChannelId, Word), LinkError>> {
        let links = self.links.iter_mut().filter(|(id, _)| among.contains(id));
        let waiting: Vec<_> = links.map(|(_, link)| link.next().boxed_local()).collect();
        if waiting.is_empty() { None } else { Some(select_all(waiting).await.0) }
    }

    /// Returns the connections on which output is still expected.
    fn incomplete(&self, wanted: &Report, report: &Report) -> Vec<ConnectionId> {
        let waits = |connection: &&ConnectionId| {
            !report.is_complete(wanted, **connection)
                || self.swallow.keys().any(|channel| channel.connection == **connection)
                || self.flows.iter().any(|channel| channel.connection == **connection)
        };
        CONNECTIONS.iter().chain([&AUDITOR]).filter(waits).copied().collect()
    }

    async fn take(
        &mut self,
        channel: ChannelId,
        word: Word,
        wanted: &Report,
        report: &mut Report,
    ) -> Result<(), LinkError> {
        match word {
            Word::Arrived(arrival) => self.take_arrival(channel, arrival, wanted, report),
            Word::Said(said) => self.take_said(channel, said, wanted, report).await?,
        }
        Ok(())
    }

    fn take_arrival(
        &mut self,
        channel: ChannelId,
        mut arrival: Arrival,
        wanted: &Report,
        report: &mut Report,
    ) {
        self.names.normalise_arrival(&mut arrival);
        if !is_closed(wanted, channel) {
            report.arrive(channel, arrival);
        }
    }

    async fn take_said(
        &mut self,
        channel: ChannelId,
        mut said: Said,
        wanted: &Report,
        report: &mut Report,
    ) -> Result<(), LinkError> {
        if said == Said::Reply(MethodReply::ChannelFlowOk { active: true })
            && let Some(place) = self.flows.iter().position(|waiting| *waiting == channel)
        {
            self.flows.remove(place);
            return Ok(());
        }
        let opens = matches!(
            said,
            Said::Reply(MethodReply::ChannelOpenOk | MethodReply::ConfirmSelectOk | MethodReply::TxSelectOk)
        );
        if opens && let Some(answers) = self.swallow.get_mut(&channel) {
            *answers -= 1;
            if *answers == 0 {
                self.swallow.remove(&channel);
            }
            return Ok(());
        }
        self.names.normalise_said(&mut said);
        match &said {
            Said::Closed(_) | Said::ConnectionCloseOk if channel.number == 0 => {
                report.forget(channel);
                self.forget(|other| other.connection == channel.connection);
                self.closing.retain(|closing| closing.connection != channel.connection);
                let mut link = self.links.remove(&channel.connection).expect("it has just been heard");
                if said != Said::ConnectionCloseOk {
                    link.close_ok().await?;
                }
            }
            Said::Closed(_) => {
                report.forget(channel);
                self.forget(|other| other == channel);
                let link = self.links.get_mut(&channel.connection).expect("it has just been heard");
                link.send(channel.number, &Method::ChannelCloseOk);
                self.open(channel);
                // What was sent behind the call that failed may close the connection as well.
                if is_closed(wanted, channel.connection.channel(0)) {
                    return Ok(());
                }
            }
            Said::Reply(MethodReply::ChannelCloseOk) => {
                self.closing.retain(|closing| *closing != channel);
                self.open(channel);
            }
            _ if is_closed(wanted, channel) => return Ok(()),
            _ => {}
        }
        report.say(channel, said);
        Ok(())
    }

    fn forget(&mut self, which: impl Fn(ChannelId) -> bool) {
        self.flows.retain(|channel| !which(*channel));
        self.swallow.retain(|channel, _| !which(*channel));
    }
}

/// Returns whether the step closes a channel, so that nothing else counts on it.
fn is_closed(wanted: &Report, channel: ChannelId) -> bool {
    let closes = |id: ChannelId| {
        wanted.0.get(&id).is_some_and(|heard| {
            heard.said.iter().any(|said| matches!(said, Said::Closed(_) | Said::ConnectionCloseOk))
        })
    };
    closes(channel) || closes(channel.connection.channel(0))
}
