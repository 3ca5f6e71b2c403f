//! Converts properties and deliveries, both ways.

use bytes::Bytes;
use lapin::BasicProperties;
use tavrida::field::ShortString;
use tavrida::transport::{Properties, Publication};

use super::field::{short, table_in, table_out};

/// Converts properties for lapin: what is absent stays absent.
pub(crate) fn properties_out(properties: &Properties) -> BasicProperties {
    let text = |value: &Option<ShortString>| value.as_deref().map(short);
    let mut out = BasicProperties::default();
    let apply = [
        (text(&properties.content_type), BasicProperties::with_content_type as fn(_, _) -> _),
        (text(&properties.content_encoding), BasicProperties::with_content_encoding),
        (text(&properties.correlation_id), BasicProperties::with_correlation_id),
        (text(&properties.reply_to), BasicProperties::with_reply_to),
        (text(&properties.expiration), BasicProperties::with_expiration),
        (text(&properties.message_id), BasicProperties::with_message_id),
        (text(&properties.kind), BasicProperties::with_type),
        (text(&properties.user_id), BasicProperties::with_user_id),
        (text(&properties.app_id), BasicProperties::with_app_id),
        (text(&properties.cluster_id), BasicProperties::with_cluster_id),
    ];
    for (value, with) in apply {
        if let Some(value) = value {
            out = with(out, value);
        }
    }
    if let Some(headers) = &properties.headers {
        out = out.with_headers(table_out(headers));
    }
    if let Some(mode) = properties.delivery_mode {
        out = out.with_delivery_mode(mode);
    }
    if let Some(priority) = properties.priority {
        out = out.with_priority(priority);
    }
    if let Some(timestamp) = properties.timestamp {
        out = out.with_timestamp(timestamp);
    }
    out
}

/// Converts received properties.
pub(crate) fn properties_in(properties: &BasicProperties) -> Properties {
    let text = |value: &Option<lapin::types::ShortString>| value.as_ref().map(name);
    Properties {
        content_type: text(properties.content_type()),
        content_encoding: text(properties.content_encoding()),
        headers: properties.headers().as_ref().map(table_in),
        delivery_mode: *properties.delivery_mode(),
        priority: *properties.priority(),
        correlation_id: text(properties.correlation_id()),
        reply_to: text(properties.reply_to()),
        expiration: text(properties.expiration()),
        message_id: text(properties.message_id()),
        timestamp: *properties.timestamp(),
        kind: text(properties.kind()),
        user_id: text(properties.user_id()),
        app_id: text(properties.app_id()),
        cluster_id: text(properties.cluster_id()),
    }
}

/// Converts the message of a delivery or a return. `mandatory` is not on the wire: it is off.
pub(crate) fn delivered(delivery: lapin::message::Delivery) -> Publication {
    Publication {
        exchange: name(&delivery.exchange),
        routing_key: name(&delivery.routing_key),
        mandatory: false,
        properties: properties_in(&delivery.properties),
        body: Bytes::from(delivery.data),
    }
}

fn name(name: &lapin::types::ShortString) -> ShortString {
    ShortString::try_from(name.as_str()).expect("lapin's short strings have at most 255 bytes")
}

#[cfg(test)]
mod tests {
    use tavrida::field::Table;

    use super::*;

    fn text(value: &str) -> Option<ShortString> {
        Some(ShortString::try_from(value).unwrap())
    }

    #[test]
    fn every_property_comes_back_as_it_went() {
        let properties = Properties {
            content_type: text("application/json"),
            content_encoding: text("utf-8"),
            headers: Some(Table::new().with(ShortString::from_static("class"), "request")),
            delivery_mode: Some(Properties::PERSISTENT),
            priority: Some(0),
            correlation_id: text("c"),
            reply_to: text("r"),
            expiration: text("1000"),
            message_id: text("m"),
            timestamp: Some(1_700_000_000),
            kind: text("t"),
            user_id: text("guest"),
            app_id: text("a"),
            cluster_id: text(""),
        };
        assert_eq!(properties_in(&properties_out(&properties)), properties);
    }

    #[test]
    fn what_is_absent_stays_absent() {
        assert_eq!(properties_out(&Properties::default()), BasicProperties::default());
        assert_eq!(properties_in(&BasicProperties::default()), Properties::default());
    }
}
