//! [`play`]: one side of a program.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use super::generate::Program;
use crate::rig::{
    CAPABILITIES, Client, Frame, HEADER, METHOD, id_of, long, method, open, short, start_ok, tune_ok,
};

/// How long a broker that waits for the rest of a frame is waited for. A later answer counts too.
const SILENCE: Duration = Duration::from_millis(300);
/// How long an answer may take that the other side gave, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(20);

const START: (u16, u16) = (10, 10);
const CLOSE: (u16, u16) = (10, 50);
const UPDATE_SECRET: (u16, u16) = (10, 70);
const UPDATE_SECRET_OK: (u16, u16) = (10, 71);
const CHANNEL_OPEN: (u16, u16) = (20, 10);
const CHANNEL_OPEN_OK: (u16, u16) = (20, 11);
const FLOW: (u16, u16) = (20, 20);
const FLOW_OK: (u16, u16) = (20, 21);
const CHANNEL_CLOSE: (u16, u16) = (20, 40);
const CHANNEL_CLOSE_OK: (u16, u16) = (20, 41);

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outcome {
    /// Frames, in order on each channel.
    pub(super) answers: Vec<Answer>,
    pub(super) end: End,
}

/// How a connection was at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// It answers.
    Open,
    /// The broker closed it by a method.
    Closed,
    /// The broker closed the socket without a word.
    Broken,
    /// It does not answer: the rest of a frame is missing.
    Waiting,
}

/// A frame that came back, without what differs between two brokers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer(Frame);

impl Answer {
    fn new(mut frame: Frame) -> Self {
        if frame.kind == METHOD && id_of(&frame) == START {
            // The properties of a server are its own.
            frame.payload.truncate(4);
        }
        const GENERATED: &[u8] = b"amq.gen-";
        let places = frame.payload.windows(GENERATED.len()).enumerate();
        let found: Vec<usize> = places
            .filter(|(_, bytes)| *bytes == GENERATED)
            .map(|(place, _)| place + GENERATED.len())
            .collect();
        for place in found {
            let end = frame.payload.len().min(place + 22);
            frame.payload[place..end].fill(b'?');
        }
        Self(frame)
    }

    fn id(&self) -> Option<(u16, u16)> {
        (self.0.kind == METHOD).then(|| id_of(&self.0))
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Frame { kind, channel, payload } = &self.0;
        match self.id() {
            Some((class, method)) => {
                write!(f, "channel {channel}: method {class}.{method} {}", payload[4..].escape_ascii())
            }
            None => write!(f, "channel {channel}: frame of type {kind} {}", payload.escape_ascii()),
        }
    }
}

/// Runs a program. What the other side answered, if it is known, is waited for.
pub(super) async fn play(
    address: SocketAddr,
    vhost: &str,
    program: &Program,
    expected: Option<&Outcome>,
) -> Outcome {
    let client = Client::connect_to(address).await;
    let mut player = Player { client, answers: Vec::new(), end: End::Waiting };
    if let Some(greeting) = &program.greeting {
        player.client.try_send(greeting).await;
    } else {
        player.prepare(vhost).await;
        player.call(&program.calls).await;
        let secret = method(0, UPDATE_SECRET, &[long(b"x"), short("why")].concat());
        player.client.try_send(&[&program.last[..], &secret].concat()).await;
    }
    player.finish(expected).await;
    // Answers on two channels may overtake each other.
    player.answers.sort_by_key(|answer| answer.0.channel);
    Outcome { answers: player.answers, end: player.end }
}

struct Player {
    client: Client,
    answers: Vec<Answer>,
    end: End,
}

impl Player {
    /// Logs in, and opens both channels.
    async fn prepare(&mut self, vhost: &str) {
        self.client.send(HEADER).await;
        self.client.method(0, START).await;
        self.client.send(&start_ok("PLAIN", b"\0guest\0guest", &CAPABILITIES)).await;
        self.client.method(0, (10, 30)).await;
        self.client.send(&[tune_ok((2047, 131_072, 0)), open(vhost)].concat()).await;
        self.client.method(0, (10, 41)).await;
        for channel in [1, 2] {
            self.client.send(&method(channel, CHANNEL_OPEN, &[0])).await;
            self.client.method(channel, CHANNEL_OPEN_OK).await;
        }
    }

    /// Calls one method after the other. `channel.flow` behind each is answered when the method is worked off; a channel that was closed is
    /// opened again.
    async fn call(&mut self, calls: &[(u16, Vec<u8>)]) {
        for (channel, call) in calls {
            // A close ends the channel, and a flow is answered.
            let is_answered = matches!(call.get(7..11), Some([0, 20, 0, 20 | 40]));
            let behind = if is_answered { Vec::new() } else { method(*channel, FLOW, &[1]) };
            self.client.try_send(&[&call[..], &behind].concat()).await;
            loop {
                match self.next(PATIENCE).await {
                    Some((number, FLOW_OK | CHANNEL_OPEN_OK)) if number == *channel => break,
                    Some((number, id @ (CHANNEL_CLOSE | CHANNEL_CLOSE_OK))) if number == *channel => {
                        let agrees = method(number, CHANNEL_CLOSE_OK, &[]);
                        let agrees = if id == CHANNEL_CLOSE { agrees } else { Vec::new() };
                        self.client.try_send(&[agrees, method(number, CHANNEL_OPEN, &[0])].concat()).await;
                    }
                    Some(_) if self.end == End::Waiting => {}
                    _ => return,
                }
            }
        }
    }

    /// Takes the next frame. Returns its channel and method; `None` at the end of the socket, or if nothing comes.
    async fn next(&mut self, patience: Duration) -> Option<(u16, (u16, u16))> {
        let Some(frame) = self.client.try_frame(patience).await? else {
            if matches!(self.end, End::Waiting | End::Open) {
                self.end = End::Broken;
            }
            return None;
        };
        let answer = Answer::new(frame);
        let (channel, id) = (answer.0.channel, answer.id().unwrap_or_default());
        match (channel, id) {
            (0, UPDATE_SECRET_OK) => self.end = End::Open,
            (0, CLOSE) => self.end = End::Closed,
            _ => {}
        }
        if id != UPDATE_SECRET_OK {
            self.answers.push(answer);
        }
        Some((channel, id))
    }

    /// Waits for the end, and takes what comes until then.
    async fn finish(&mut self, expected: Option<&Outcome>) {
        let waits = |player: &Self| match expected {
            Some(expected) => {
                player.answers.len() < expected.answers.len()
                    || (player.end == End::Waiting && expected.end != End::Waiting)
            }
            None => player.end == End::Waiting,
        };
        let patience = if expected.is_some() { PATIENCE } else { SILENCE };
        while waits(self) && self.next(patience).await.is_some() {}
        if self.end == End::Waiting {
            while self.next(SILENCE).await.is_some() {}
        }
        let end = self.end;
        if end == End::Closed {
            // RabbitMQ keeps the socket for a while, and is silent.
            return;
        }
        self.client.half_close().await;
        while self.next(PATIENCE).await.is_some() {}
        // The broker closes the socket because the client does.
        if self.end == End::Broken {
            self.end = end;
        }
    }
}
