//! Exchanges are declared, compared and deleted.

use tavrida::transport::{Binding, Exchange, ExchangeKind, Publication, PublishErrorKind};

use crate::check::Kept;
use crate::harness::Harness;
use crate::promise::promise;
use crate::values::{short, table};
use crate::{Capability, Promise};

pub(super) fn promises() -> Vec<Promise> {
    vec![
        promise("a declared exchange is there, one that was not is not (404)", "R17, R20", declared),
        promise("declaring an exchange again with the same fields is fine", "R16, R19", again),
        promise("direct and fanout exchanges can be declared, also by the names of their types", "R6", kinds),
        promise(
            "declaring an exchange with other fields is refused (406), and changes nothing",
            "R19",
            otherwise,
        )
        .needing(Capability::DeclareChecks),
        promise("whether an exchange is internal or deletes itself is compared as well", "R19", other_flags)
            .needing(Capability::DeclareChecks)
            .needing(Capability::InternalExchange)
            .needing(Capability::AutoDelete),
        promise("an alternate exchange is compared as well", "R19", other_alternate)
            .needing(Capability::DeclareChecks)
            .needing(Capability::AlternateExchange),
        promise("an alternate exchange that is not a name is refused (406)", "R20", odd_alternate)
            .needing(Capability::DeclareChecks)
            .needing(Capability::AlternateExchange),
        promise("arguments that mean nothing to the broker are not compared", "R19", unknown_arguments),
        promise("a deleted exchange is gone with its bindings", "R22", deleted),
        promise("deleting a missing exchange is fine", "R21", delete_missing),
        promise("an exchange that routes to something is not deleted if unused (406)", "R21", in_use),
        promise("an exchange that is only a destination counts as unused", "R21", destination_unused)
            .needing(Capability::ExchangeBindings),
        promise("the default exchange cannot be declared, checked or deleted (403)", "R15", default_exchange),
        promise("the predeclared exchanges are there and can be declared as they are", "R16", predeclared)
            .needing(Capability::PredeclaredExchanges),
        promise("topic and headers exchanges are predeclared as well", "R16", predeclared_others)
            .needing(Capability::PredeclaredExchanges)
            .needing(Capability::TopicExchange)
            .needing(Capability::HeadersExchange),
        promise("names with amq. are the broker's: no declare, no delete (403)", "R16, R17", reserved)
            .needing(Capability::PredeclaredExchanges),
    ]
}

async fn declared(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let missing = harness.name("missing");
    let text = format!("NOT_FOUND - no {}", harness.exchange_text(&missing));
    harness
        .refused("checking a missing exchange", peer.admin().declare_exchange_passive(&missing), 404, text)
        .await?;
    let exchange = peer.an_exchange("x", ExchangeKind::Direct).await?;
    peer.exchange_exists(&exchange, true).await
}

async fn again(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let durable = Exchange::durable(harness.name("durable"), ExchangeKind::Fanout);
    let transient = Exchange::transient(harness.name("transient"), ExchangeKind::Direct);
    for exchange in [&durable, &transient, &durable, &transient] {
        peer.exchange(exchange).await?;
    }
    Ok(())
}

async fn kinds(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    for kind in [ExchangeKind::Direct, ExchangeKind::Fanout] {
        let exchange = peer.an_exchange(kind.as_str(), kind.clone()).await?;
        peer.exchange_exists(&exchange, true).await?;
    }
    let by_name = Exchange::durable(harness.name("direct"), ExchangeKind::Other(short("direct")));
    peer.exchange(&by_name).await
}

/// A changed field, the broker's text for its new and its old value, and the change.
type Change = (&'static str, &'static str, &'static str, fn(&mut Exchange));

/// Declares a durable direct exchange again with each of these changes.
async fn compare<const N: usize>(harness: Harness, changes: [Change; N]) -> Kept {
    let peer = harness.session().await?;
    let original = Exchange::durable(harness.name("x"), ExchangeKind::Direct);
    peer.exchange(&original).await?;
    for (field, received, current, change) in changes {
        let mut other = original.clone();
        change(&mut other);
        let text = format!(
            "PRECONDITION_FAILED - inequivalent arg '{field}' for {}: received '{received}' but current is '{current}'",
            harness.exchange_text(&original.name)
        );
        let what = format!("declaring it with another {field}");
        harness.refused(&what, peer.admin().declare_exchange(&other), 406, text).await?;
    }
    peer.exchange(&original).await
}

async fn otherwise(harness: Harness) -> Kept {
    let both = |exchange: &mut Exchange| (exchange.durable, exchange.kind) = (false, ExchangeKind::Fanout);
    let changes: [Change; _] = [
        ("type", "fanout", "direct", |exchange| exchange.kind = ExchangeKind::Fanout),
        ("durable", "false", "true", |exchange| exchange.durable = false),
        ("type", "fanout", "direct", both),
    ];
    compare(harness, changes).await
}

async fn other_flags(harness: Harness) -> Kept {
    let changes: [Change; _] = [
        ("auto_delete", "true", "false", |exchange| exchange.auto_delete = true),
        ("internal", "true", "false", |exchange| exchange.internal = true),
    ];
    compare(harness, changes).await
}

async fn other_alternate(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let plain = Exchange::durable(harness.name("plain"), ExchangeKind::Direct);
    let with = |name: &'static str, exchange: &Exchange| Exchange {
        arguments: table([("alternate-exchange", name.into())]),
        ..exchange.clone()
    };
    let first = with("ae", &Exchange::durable(harness.name("first"), ExchangeKind::Direct));
    peer.exchange(&plain).await?;
    peer.exchange(&first).await?;
    let cases = [
        (with("ae", &plain), "received the value 'ae' of type 'longstr' but current is none"),
        (
            Exchange { arguments: table([]), ..first.clone() },
            "received none but current is the value 'ae' of type 'longstr'",
        ),
        (with("ae2", &first), "received 'ae2' but current is 'ae'"),
    ];
    for (exchange, difference) in cases {
        let text = format!(
            "PRECONDITION_FAILED - inequivalent arg 'alternate-exchange' for {}: {difference}",
            harness.exchange_text(&exchange.name)
        );
        harness.refused(difference, peer.admin().declare_exchange(&exchange), 406, text).await?;
    }
    Ok(())
}

async fn odd_alternate(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let mut exchange = Exchange::durable(harness.name("x"), ExchangeKind::Direct);
    exchange.arguments.insert(short("alternate-exchange"), 5);
    let text = format!(
        "PRECONDITION_FAILED - invalid type 'signedint' for arg 'alternate-exchange' in {}",
        harness.exchange_text(&exchange.name)
    );
    harness.refused("declaring it", peer.admin().declare_exchange(&exchange), 406, text).await?;
    peer.exchange_exists(&exchange.name, false).await
}

async fn unknown_arguments(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let mut exchange = Exchange::durable(harness.name("x"), ExchangeKind::Direct);
    for value in [1, 2] {
        exchange.arguments.insert(short("owner"), value);
        peer.exchange(&exchange).await?;
    }
    Ok(())
}

async fn deleted(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let exchange = peer.an_exchange("x", ExchangeKind::Direct).await?;
    let queue = peer.a_queue("q").await?;
    peer.tie(&Binding::queue(&queue, &exchange, short("k"))).await?;
    harness.done("deleting the exchange", peer.admin().delete_exchange(&exchange, false)).await?;
    peer.exchange_exists(&exchange, false).await?;
    peer.exchange(&Exchange::durable(&exchange, ExchangeKind::Direct)).await?;
    peer.fails(Publication::new(&exchange, short("k"), "m"), &PublishErrorKind::Unroutable).await
}

async fn delete_missing(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let missing = harness.name("missing");
    harness.done("deleting it", peer.admin().delete_exchange(&missing, false)).await?;
    harness.done("deleting it if unused", peer.admin().delete_exchange(&missing, true)).await
}

async fn in_use(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let exchange = peer.an_exchange("x", ExchangeKind::Direct).await?;
    let queue = peer.a_queue("q").await?;
    let binding = Binding::queue(&queue, &exchange, short("k"));
    peer.tie(&binding).await?;
    let text = format!("PRECONDITION_FAILED - {} in use", harness.exchange_text(&exchange));
    harness.refused("deleting it in use", peer.admin().delete_exchange(&exchange, true), 406, text).await?;
    peer.exchange_exists(&exchange, true).await?;
    peer.untie(&binding).await?;
    harness.done("deleting it unused", peer.admin().delete_exchange(&exchange, true)).await?;
    peer.exchange_exists(&exchange, false).await
}

async fn destination_unused(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let source = peer.an_exchange("source", ExchangeKind::Fanout).await?;
    let destination = peer.an_exchange("destination", ExchangeKind::Fanout).await?;
    peer.tie(&Binding::exchange(&destination, &source, short(""))).await?;
    harness.done("deleting the destination", peer.admin().delete_exchange(&destination, true)).await?;
    peer.exchange_exists(&destination, false).await
}

async fn default_exchange(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let text = "ACCESS_REFUSED - operation not permitted on the default exchange";
    let exchange = Exchange::durable(short(""), ExchangeKind::Direct);
    harness.refused("declaring it", peer.admin().declare_exchange(&exchange), 403, text).await?;
    harness.refused("checking it", peer.admin().declare_exchange_passive(""), 403, text).await?;
    harness.refused("deleting it", peer.admin().delete_exchange("", false), 403, text).await
}

async fn predeclared(harness: Harness) -> Kept {
    there_from_the_start(
        harness,
        [("amq.direct", ExchangeKind::Direct), ("amq.fanout", ExchangeKind::Fanout)],
    )
    .await
}

async fn predeclared_others(harness: Harness) -> Kept {
    let others = [
        ("amq.topic", ExchangeKind::Topic),
        ("amq.headers", ExchangeKind::Headers),
        ("amq.match", ExchangeKind::Headers),
    ];
    there_from_the_start(harness, others).await
}

async fn there_from_the_start<const N: usize>(
    harness: Harness,
    names: [(&'static str, ExchangeKind); N],
) -> Kept {
    let peer = harness.session().await?;
    for (name, kind) in names {
        peer.exchange_exists(name, true).await?;
        peer.exchange(&Exchange::durable(short(name), kind)).await?;
    }
    Ok(())
}

async fn reserved(harness: Harness) -> Kept {
    let peer = harness.session().await?;
    let exchange = Exchange::durable(short("amq.conformance"), ExchangeKind::Direct);
    let text = "ACCESS_REFUSED - exchange name 'amq.conformance' contains reserved prefix 'amq.*'";
    harness.refused("declaring a new one", peer.admin().declare_exchange(&exchange), 403, text).await?;
    for name in ["amq.direct", "amq.conformance"] {
        let text = format!("ACCESS_REFUSED - deletion of system {} not allowed", harness.exchange_text(name));
        harness.refused("deleting one", peer.admin().delete_exchange(name, false), 403, text).await?;
    }
    peer.exchange_exists("amq.direct", true).await
}
