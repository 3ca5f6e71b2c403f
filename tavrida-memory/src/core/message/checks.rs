//! What RabbitMQ refuses in a published message.

use tavrida::field::{LongString, Value};
use tavrida::transport::Publication;
use tavrida_behaviour::Behaviour;

use super::{expiration, routing_keys};
use crate::core::erlang;
use crate::core::errors::Fault;

pub(crate) fn check_expiration(publication: &Publication) -> Result<(), Fault> {
    let Some(text) = &publication.properties.expiration else { return Ok(()) };
    expiration::parse(text).map(drop).map_err(|reason| {
        let what = format!("invalid expiration '{text}': ");
        let reason = erlang::pair_from(what.chars().count(), &reason);
        Fault::precondition_failed(what + &reason)
    })
}

/// Checks that the `user_id` of a message, if it has one, is the user that publishes it.
pub(crate) fn check_user(publication: &Publication, actual: &str) -> Result<(), Fault> {
    match &publication.properties.user_id {
        Some(claimed) if claimed != actual => Err(Fault::precondition_failed(format!(
            "user_id property set to '{claimed}' but authenticated user was '{actual}'"
        ))),
        _ => Ok(()),
    }
}

/// Returns the keys of the `CC` and `BCC` headers, if any, after checking these and then the delivery mode (R89).
pub(crate) fn check_message(
    publication: &Publication,
    behaviour: &Behaviour,
) -> Result<Option<Vec<LongString>>, Fault> {
    let keys = check_copies(publication)?;
    match publication.properties.delivery_mode {
        Some(mode @ (0 | 3..)) if !behaviour.takes_every_delivery_mode => {
            Err(invalid_message(&format!("{{delivery_mode_unknown,{mode}}}")))
        }
        _ => Ok(keys),
    }
}

fn check_copies(publication: &Publication) -> Result<Option<Vec<LongString>>, Fault> {
    let Some(headers) = &publication.properties.headers else { return Ok(None) };
    if !headers.iter().any(|(name, _)| matches!(name.as_str(), "CC" | "BCC")) {
        return Ok(None);
    }
    for name in ["CC", "BCC"] {
        if let Some(value) = headers.get(name)
            && !matches!(value, Value::Array(_))
        {
            let kind = erlang::type_name(value);
            return Err(invalid_message(&format!("{{unacceptable_type_in_header,\"{name}\",{kind}}}")));
        }
    }
    Ok(Some(routing_keys::in_headers(headers, &["CC", "BCC"])))
}

fn invalid_message(reason: &str) -> Fault {
    Fault::precondition_failed(format!("invalid message: {reason}"))
}
