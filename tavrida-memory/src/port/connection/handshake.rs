//! How a connection begins: header, login, limits, virtual host.

use tavrida::field::{ShortString, Table, Value};

use super::super::settings::{LEAST_FRAME_MAX, MECHANISMS};
use super::super::wire::{Incoming, connection};
use super::errors::reason;
use super::login::{Login, log_in};
use super::{Abilities, Phase, ServerConnection, Step};
use crate::core::Code;

/// What a client sends first, and what it gets back if it does not.
pub(super) const HEADER: &[u8; 8] = b"AMQP\0\0\x09\x01";

const TUNE: (u16, u16) = (10, 30);
const OPEN: (u16, u16) = (10, 40);

impl ServerConnection {
    /// Handles the header of the protocol. `None` if it is not all there.
    pub(super) fn take_header(&mut self) -> Option<()> {
        let header = *self.input[self.handled..].first_chunk::<8>()?;
        self.handled += header.len();
        match &header {
            // RabbitMQ also takes what clients of AMQP 0-9 sent.
            HEADER | b"AMQP\x01\x01\0\x09" | b"AMQP\x01\x01\x09\x01" => {
                self.phase = Phase::Starting;
                let properties = self.settings.properties();
                connection::start(&properties, MECHANISMS, &mut self.output);
            }
            _ => {
                self.phase = Phase::Ended;
                self.output.extend_from_slice(HEADER);
            }
        }
        Some(())
    }

    /// Handles a method of the handshake. `None` if it is not the one that is due.
    pub(super) fn shake_hands(&mut self, incoming: Incoming) -> Option<Option<Step>> {
        match (self.phase, incoming) {
            (Phase::Starting, Incoming::StartOk { client, mechanism, response }) => {
                self.start(&client, &mechanism, &response);
                Some(None)
            }
            (Phase::Tuning, Incoming::TuneOk { channel_max, frame_max, heartbeat }) => {
                self.tune(channel_max, frame_max, heartbeat);
                Some(None)
            }
            (Phase::Opening, Incoming::Open { virtual_host }) => Some(self.open(virtual_host)),
            _ => None,
        }
    }

    fn start(&mut self, client: &Table, mechanism: &str, response: &[u8]) {
        let capabilities = match client.get("capabilities") {
            Some(Value::Table(capabilities)) => capabilities,
            _ => &Table::new(),
        };
        let can = |name: &str| capabilities.get(name) == Some(&Value::Bool(true));
        self.abilities = Abilities {
            authentication_failure_close: can("authentication_failure_close"),
            connection_blocked: can("connection.blocked"),
        };
        self.options.cancel_notify = can("consumer_cancel_notify");
        match log_in(&self.settings, mechanism, response) {
            Login::User(user) => {
                self.options.user = user;
                self.phase = Phase::Tuning;
                let settings = self.settings.clone();
                let (channel_max, heartbeat) = (settings.channel_max, settings.heartbeat);
                connection::tune(channel_max, settings.frame_max, heartbeat, &mut self.output);
            }
            Login::UnknownMechanism => {
                let text = format!("unknown authentication mechanism '{mechanism}'");
                self.close(reason(Code::CommandInvalid, &text, (10, 11)));
            }
            Login::Refused if self.abilities.authentication_failure_close => {
                let text = format!(
                    "Login was refused using authentication mechanism {mechanism}. For details see the broker \
                     logfile."
                );
                self.say_close(&reason(Code::AccessRefused, &text, (0, 0)));
            }
            Login::Refused | Login::Unreadable => self.phase = Phase::Ended,
        }
    }

    fn tune(&mut self, channel_max: u16, frame_max: u32, heartbeat: u16) {
        let settings = self.settings.clone();
        let numbers = [
            ("frame_max", LEAST_FRAME_MAX, frame_max, settings.frame_max),
            ("channel_max", 1, channel_max.into(), settings.channel_max.into()),
        ];
        for (name, least, asked, most) in numbers {
            if let Err(text) = negotiate(name, least, asked, most) {
                return self.close(reason(Code::NotAllowed, &text, TUNE));
            }
        }
        self.frame_max = frame_max as usize;
        self.heartbeat = heartbeat;
        self.options.channel_max = channel_max;
        self.phase = Phase::Opening;
    }

    fn open(&mut self, virtual_host: ShortString) -> Option<Step> {
        if !self.settings.virtual_hosts.contains(&virtual_host) {
            self.close(reason(Code::NotAllowed, &format!("vhost {virtual_host} not found"), OPEN));
            return None;
        }
        let user = &self.options.user;
        if !self.settings.permits(user, &virtual_host) {
            let text = format!("access to vhost '{virtual_host}' refused for user '{user}'");
            self.close(reason(Code::NotAllowed, &text, OPEN));
            return None;
        }
        self.phase = Phase::Running;
        connection::open_ok(&mut self.output);
        Some(Step::Connect { virtual_host, options: self.options.clone() })
    }
}

/// Checks a limit that the client chose: 0 is none, and above every other.
fn negotiate(name: &str, least: u32, asked: u32, most: u32) -> Result<(), String> {
    let no_limit = if name == "channel_max" && asked == 0 { " (no limit)" } else { "" };
    let negotiated = format!("negotiated {name} = {asked}{no_limit}");
    if asked != 0 && asked < least {
        Err(format!("{negotiated} is lower than the minimum allowed value ({least})"))
    } else if asked == 0 || asked > most {
        Err(format!("{negotiated} is higher than the maximum allowed value ({most})"))
    } else {
        Ok(())
    }
}
