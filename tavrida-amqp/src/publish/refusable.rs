//! Detects publishes that RabbitMQ would refuse by closing the channel.
//!
//! Such a publish affects everything that is pipelined behind it, so it is published alone.

use tavrida::field::Value;
use tavrida::transport::{DIRECT_REPLY_TO, Properties, Publication};

/// RabbitMQ's limit on a body, in bytes (its largest setting).
const LARGEST_BODY: usize = 134_217_728;

/// RabbitMQ's limit on a time to live, in milliseconds.
const LONGEST_EXPIRATION: u64 = 315_360_000_000;

/// Returns whether the broker may refuse this publication because of its content, from a user that it knows as `login`.
pub(super) fn may_be_refused(publication: &Publication, login: Option<&str>) -> bool {
    let Publication { properties, body, .. } = publication;
    let Properties { user_id, expiration, delivery_mode, headers, .. } = properties;
    user_id.as_deref().is_some_and(|user| login != Some(user))
        || expiration.as_deref().is_some_and(|expiration| !is_expiration(expiration))
        || !matches!(delivery_mode, None | Some(Properties::TRANSIENT | Properties::PERSISTENT))
        || headers.as_ref().is_some_and(|headers| {
            let no_array = |name| !matches!(headers.get(name), None | Some(Value::Array(_)));
            no_array("CC") || no_array("BCC")
        })
        || body.len() > LARGEST_BODY
}

/// Returns whether the publication requests a direct reply, which the broker refuses on a channel without a consumer for it.
pub(super) fn wants_direct_reply(publication: &Publication) -> bool {
    publication.properties.reply_to.as_deref() == Some(DIRECT_REPLY_TO)
}

fn is_expiration(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
        && text.parse::<u64>().is_ok_and(|milliseconds| milliseconds <= LONGEST_EXPIRATION)
}

#[cfg(test)]
mod tests {
    use tavrida::field::{ShortString, Table};

    use super::*;

    fn with(change: impl FnOnce(&mut Properties)) -> Publication {
        let mut publication = Publication::new(ShortString::default(), ShortString::default(), "");
        change(&mut publication.properties);
        publication
    }

    fn text(text: &'static str) -> Option<ShortString> {
        Some(ShortString::from_static(text))
    }

    #[test]
    fn ordinary_messages_are_not_refusable() {
        for ordinary in [
            with(|_| ()),
            with(|properties| properties.user_id = text("guest")),
            with(|properties| properties.expiration = text("0")),
            with(|properties| properties.expiration = text("315360000000")),
            with(|properties| properties.delivery_mode = Some(2)),
            with(|properties| properties.reply_to = text("amq.rabbitmq.reply-to.g1h2AA")),
            with(|properties| {
                properties.headers = Some(Table::new().with(ShortString::from_static("CC"), vec![]));
            }),
        ] {
            assert!(!may_be_refused(&ordinary, Some("guest")), "{ordinary:?}");
        }
    }

    #[test]
    fn only_the_bare_name_wants_a_direct_reply() {
        let to = |address: &'static str| with(|properties| properties.reply_to = text(address));
        assert!(wants_direct_reply(&to("amq.rabbitmq.reply-to")));
        assert!(
            !wants_direct_reply(&to("amq.rabbitmq.reply-to.g1h2AA")) && !wants_direct_reply(&with(|_| ()))
        );
    }

    #[test]
    fn a_user_id_may_be_refused_where_the_broker_knows_the_user_by_other_means() {
        let signed = with(|properties| properties.user_id = text("guest"));
        assert!(may_be_refused(&signed, None));
    }

    #[test]
    fn what_rules_r66_and_r89_refuse_may_be_refused() {
        for refusable in [
            with(|properties| properties.user_id = text("somebody")),
            with(|properties| properties.user_id = text("")),
            with(|properties| properties.expiration = text("")),
            with(|properties| properties.expiration = text("1.5")),
            with(|properties| properties.expiration = text("-1")),
            with(|properties| properties.expiration = text("315360000001")),
            with(|properties| properties.delivery_mode = Some(3)),
            with(|properties| {
                properties.headers = Some(Table::new().with(ShortString::from_static("BCC"), "text"));
            }),
        ] {
            assert!(may_be_refused(&refusable, Some("guest")), "{refusable:?}");
        }
    }
}
