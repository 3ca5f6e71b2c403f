//! Interprets lapin's errors for a session: an error that closed one channel, or the end.

use lapin::ErrorKind;
use lapin::protocol::{AMQPError, AMQPErrorKind};
use tavrida::transport::{BrokerError, ConnectionLost};

/// What an error closed.
#[derive(Debug, Clone)]
pub(crate) enum Closed {
    /// The channel of the operation, with the broker's error.
    Channel(BrokerError),
    /// The channel of the operation, or its connection, was already closed; the reason is reported elsewhere.
    ChannelGone,
    /// The connection.
    Connection(ConnectionLost),
}

/// Returns what `error`, from an operation on a connection to `endpoint`, closed.
pub(crate) fn interpret(error: &lapin::Error, endpoint: &str) -> Closed {
    match error.kind() {
        ErrorKind::ProtocolError(error) => of_protocol(error),
        // The broker would answer with a connection error; lapin does not ask it.
        ErrorKind::ChannelsLimitReached => Closed::Channel(BrokerError::channel(
            530,
            "NOT_ALLOWED - the number of open channels has reached the negotiated channel_max",
        )),
        ErrorKind::InvalidChannel(_)
        | ErrorKind::InvalidChannelState(..)
        | ErrorKind::InvalidConnectionState(_) => Closed::ChannelGone,
        _ => Closed::Connection(ConnectionLost::broken(format!("{endpoint}: {error}"))),
    }
}

fn of_protocol(error: &AMQPError) -> Closed {
    let (code, text) = (error.get_id(), error.get_message().to_string());
    match error.kind() {
        AMQPErrorKind::Soft(_) => Closed::Channel(BrokerError::channel(code, text)),
        AMQPErrorKind::Hard(_) => {
            Closed::Connection(ConnectionLost::closed_by_broker(BrokerError::connection(code, text)))
        }
    }
}

/// Returns the broker's refusal of a connection, if `error` is one. Its code may look like a channel's (403 for a wrong password), but it
/// closed the connection.
pub(crate) fn refused_at_connect(error: &lapin::Error) -> Option<BrokerError> {
    match error.kind() {
        ErrorKind::ProtocolError(error) => {
            Some(BrokerError::connection(error.get_id(), error.get_message().to_string()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use lapin::protocol::{AMQPHardError, AMQPSoftError};

    use super::*;

    fn protocol(kind: AMQPErrorKind) -> lapin::Error {
        ErrorKind::ProtocolError(AMQPError::new(kind, "WORDS - of the broker".into())).into()
    }

    #[test]
    fn a_soft_error_closes_the_channel_and_keeps_code_and_text() {
        let error = protocol(AMQPSoftError::NOTFOUND.into());
        let Closed::Channel(refusal) = interpret(&error, "host:5672") else {
            panic!("{error} is a channel's")
        };
        assert_eq!(refusal, BrokerError::channel(404, "WORDS - of the broker"));
    }

    #[test]
    fn a_hard_error_is_the_brokers_end_of_the_session() {
        let error = protocol(AMQPHardError::CONNECTIONFORCED.into());
        let Closed::Connection(loss) = interpret(&error, "host:5672") else {
            panic!("{error} is a connection's")
        };
        assert_eq!(loss.refusal(), Some(&BrokerError::connection(320, "WORDS - of the broker")));
    }

    #[test]
    fn a_broken_socket_names_the_endpoint() {
        let error = lapin::Error::from(std::io::Error::from(std::io::ErrorKind::ConnectionReset));
        let Closed::Connection(loss) = interpret(&error, "host:5672") else {
            panic!("{error} is a connection's")
        };
        assert!(loss.to_string().contains("host:5672"), "{loss}");
    }

    #[test]
    fn a_wrong_password_closed_the_connection_though_its_code_is_a_channels() {
        let refusal = refused_at_connect(&protocol(AMQPSoftError::ACCESSREFUSED.into()));
        assert_eq!(refusal, Some(BrokerError::connection(403, "WORDS - of the broker")));
    }
}
