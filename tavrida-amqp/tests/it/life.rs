//! How a session begins and ends.

use std::time::Duration;

use tavrida::transport::{
    ConnectionLost, ConsumerError, PublishErrorKind, PublishFuture, Queue, Scope, Session, SessionError,
    Transport,
};
use tavrida_amqp::{AmqpConfig, AmqpTransport};
use tavrida_rabbitmq::Node;
use tokio::time::{Instant, sleep, timeout};

use crate::fixture::eventually;
use crate::support::{
    Place, config, connect, connect_to, consume, declare, name, next, publish_all, soon, to_exchange,
    to_queue,
};

fn refused(result: Result<std::sync::Arc<dyn Session>, SessionError>) -> (u16, String) {
    match result.map(drop).unwrap_err() {
        SessionError::Refused(refusal) => {
            assert_eq!(refusal.scope, Scope::Connection);
            (refusal.code, refusal.text)
        }
        other => panic!("refused, not {other}"),
    }
}

#[tokio::test]
async fn a_wrong_password_and_a_missing_virtual_host_are_refused_in_the_brokers_words() {
    let place = Place::new().await;
    let good = config(&place.vhost.uri());
    let transport = AmqpTransport::new(good.clone().credentials("guest", "wrong"));
    let (code, text) = refused(soon(transport.connect()).await);
    assert_eq!(code, 403);
    assert!(text.starts_with("ACCESS_REFUSED - Login was refused"), "{text}");

    let (code, text) = refused(soon(AmqpTransport::new(good.virtual_host("nowhere")).connect()).await);
    assert_eq!((code, text.as_str()), (530, "NOT_ALLOWED - vhost nowhere not found"));
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_named_in_the_error() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let error =
        soon(AmqpTransport::new(AmqpConfig::new("127.0.0.1", port)).connect()).await.map(drop).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, SessionError::Lost(_)));
    assert!(text.contains(&format!("cannot connect to 127.0.0.1:{port}")), "{text}");
}

#[tokio::test]
async fn a_peer_that_never_answers_is_given_up_in_time() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let patience = Duration::from_millis(300);
    let transport = AmqpTransport::new(AmqpConfig::new("127.0.0.1", port).connect_timeout(patience));
    let begin = Instant::now();
    let error = soon(transport.connect()).await.map(drop).unwrap_err();
    assert!(begin.elapsed() < Duration::from_secs(3));
    assert!(error.to_string().contains("no answer within 300ms"), "{error}");
}

#[tokio::test]
async fn the_next_host_is_tried_when_one_cannot_be_reached() {
    let place = Place::new().await;
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let config = AmqpConfig::new("127.0.0.1", closed)
        .or_host("127.0.0.1", place.vhost.node().port())
        .virtual_host(place.vhost.name());
    let session = connect(config).await;
    declare(&session, "q").await;
    soon(session.close()).await.unwrap();
}

#[tokio::test]
async fn a_closed_session_says_so_everywhere_and_closing_it_again_is_fine() {
    let Place { session, .. } = &Place::new().await;
    soon(session.close()).await.unwrap();
    soon(session.close()).await.unwrap();
    assert!(soon(session.closed()).await.is_closed_here());
    let unpublished = soon(session.publish(to_queue("q", "late"))).await.unwrap_err();
    assert_eq!(unpublished.reason, PublishErrorKind::NotSent(ConnectionLost::closed_here()));
    assert_eq!(&unpublished.publication.body[..], b"late");
    let lost = SessionError::Lost(ConnectionLost::closed_here());
    assert_eq!(session.admin().declare_queue(&Queue::exclusive()).await.unwrap_err(), lost);
    assert_eq!(session.get("q").await.map(drop).unwrap_err(), lost);
}

#[tokio::test]
async fn a_session_that_is_dropped_closes_its_connections() {
    let place = Place::new().await;
    let own = place.session.admin().declare_queue(&Queue::exclusive()).await.unwrap().name;
    let other = place.another().await;
    drop(place.session);
    soon(async {
        while !other.admin().declare_queue_passive(&own).await.is_err_and(|error| error.is_not_found()) {
            sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn an_operator_closing_connections_is_noticed_by_everyone_within_a_second() {
    let node = Node::start().await.unwrap();
    let session = connect_to(&node).await;
    declare(&session, "q").await;
    soon(session.publish(to_queue("q", "x"))).await.unwrap();
    let mut consumer = consume(&session, "q", 10).await;
    let delivery = next(&mut consumer).await;

    let begin = Instant::now();
    let (closed, waiting) = tokio::join!(
        node.close_all_connections("maintenance"),
        timeout(Duration::from_secs(5), async { (session.closed().await, consumer.next().await) }),
    );
    closed.unwrap();
    let (loss, end) = waiting.unwrap();
    assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
    let refusal = loss.refusal().expect("the broker said why");
    assert_eq!((refusal.code, refusal.scope), (320, Scope::Connection));
    assert!(refusal.text.contains("maintenance"), "{}", refusal.text);
    assert_eq!(end.unwrap_err(), ConsumerError::Lost(loss.clone()));
    assert_eq!(delivery.ack(), Err(loss.clone()), "a stale settlement is an error");
    let late = soon(session.publish(to_queue("q", "late"))).await.unwrap_err();
    assert_eq!(late.reason, PublishErrorKind::NotSent(loss));

    let again = connect_to(&node).await;
    let redelivered = again.get("q").await.unwrap().unwrap();
    assert!(redelivered.delivery.redelivered());
}

/// lapin closes channels a moment before it reports why; callers must get the reason.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_that_is_under_way_when_connections_are_closed_ends_with_the_loss_of_the_session() {
    let node = Node::start().await.unwrap();
    for round in 0..40 {
        let session = connect_to(&node).await;
        declare(&session, "q").await;
        // Each is refused and closes its channel: the next one is sent on a new one.
        let message = |number: u32| {
            let mut message = to_queue("q", number.to_string());
            message.properties.user_id = Some(name("somebody else"));
            message
        };
        let messages: Vec<_> = (0..200).map(message).collect();
        let publishing = tokio::spawn({
            let session = session.clone();
            async move { publish_all(&session, messages).await }
        });
        let managing = tokio::spawn({
            let session = session.clone();
            async move {
                loop {
                    if let Err(error) = session.admin().declare_queue_passive("q").await {
                        return error;
                    }
                }
            }
        });
        for _ in 0..round {
            tokio::task::yield_now().await;
        }
        node.close_all_connections("maintenance").await.unwrap();
        let loss = soon(session.closed()).await;
        assert_eq!(soon(managing).await.unwrap(), SessionError::Lost(loss.clone()), "round {round}");
        for result in soon(publishing).await.unwrap() {
            match result.map_err(|unpublished| unpublished.reason) {
                Err(PublishErrorKind::Ambiguous(seen) | PublishErrorKind::NotSent(seen)) => {
                    assert_eq!(seen, loss, "round {round}");
                }
                Err(PublishErrorKind::Refused(refusal)) => {
                    assert_eq!(refusal.code, 406, "round {round}: {refusal}")
                }
                other => panic!("round {round}: {other:?}"),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_killed_with_publishes_in_flight_leaves_them_ambiguous_and_none_hanging() {
    let node = Node::start().await.unwrap();
    let session = connect_to(&node).await;
    let queue = Queue::durable(name("q"));
    session.admin().declare_queue(&queue).await.unwrap();
    // The broker writes declarations to its disk a little later; a kill must not come before.
    node.eval("mnesia:sync_log()").await.unwrap();
    let publishing = tokio::spawn({
        let session = session.clone();
        async move {
            let messages = (0..50_000).map(|number| {
                let mut message = to_queue("q", number.to_string());
                message.properties.delivery_mode = Some(2);
                message
            });
            publish_all(&session, messages).await
        }
    });
    while session.admin().declare_queue_passive("q").await.unwrap().messages < 500 {}
    node.kill().await.unwrap();
    let results = soon(publishing).await.unwrap();
    soon(session.closed()).await;

    let confirmed: Vec<_> = (0..50_000)
        .zip(&results)
        .filter(|(_, result)| result.is_ok())
        .map(|(number, _)| number.to_string())
        .collect();
    let ambiguous = results.iter().filter(|result| {
        matches!(result, Err(unpublished) if matches!(unpublished.reason, PublishErrorKind::Ambiguous(_)))
    });
    let not_sent = results.iter().filter(
        |result| matches!(result, Err(unpublished) if matches!(unpublished.reason, PublishErrorKind::NotSent(_))),
    );
    let (ambiguous, not_sent) = (ambiguous.count(), not_sent.count());
    assert_eq!(confirmed.len() + ambiguous + not_sent, 50_000);
    assert!((1..=AmqpConfig::PUBLISH_WINDOW).contains(&ambiguous), "{ambiguous}");

    node.start_again().await.unwrap();
    let again = connect_to(&node).await;
    let kept: std::collections::BTreeSet<_> = crate::support::drain(&again, "q").await.into_iter().collect();
    let lost = confirmed.iter().filter(|body| !kept.contains(*body)).count();
    assert_eq!(lost, 0, "of {} confirmed", confirmed.len());
    assert!(kept.len() <= confirmed.len() + ambiguous, "what was not sent is not there");
}

/// Publishes until nothing is pending any more. The first publish to an exchange delays others a little longer than its confirm takes,
/// until the broker has answered later requests.
async fn publish_before(session: &std::sync::Arc<dyn Session>) {
    for body in ["first", "second"] {
        soon(session.publish(to_queue("q", body))).await.unwrap();
    }
}

/// A publish that a pausing broker does not confirm: its last threads take a moment to stop.
async fn unconfirmed(session: &std::sync::Arc<dyn Session>) -> PublishFuture<'_> {
    loop {
        let mut publishing = session.publish(to_queue("q", "into the void"));
        if timeout(Duration::from_millis(100), &mut publishing).await.is_err() {
            return publishing;
        }
    }
}

/// The peer neither answers nor closes: the heartbeat detects it, and closing does not wait for it.
#[tokio::test]
async fn a_paused_broker_is_given_up_after_its_heartbeats() {
    let node = Node::start().await.unwrap();
    let session = connect(config(&node.uri()).heartbeat(1)).await;
    declare(&session, "q").await;
    declare(&session, "empty").await;
    publish_before(&session).await;
    let mut consumer = consume(&session, "empty", 10).await;
    node.pause().unwrap();
    let publishing = soon(unconfirmed(&session)).await;
    let waiting = session.publish(to_exchange("amq.fanout", "", "the broker must be asked first"));
    let begin = Instant::now();
    let (sent, unsent, end) = tokio::join!(soon(publishing), soon(waiting), soon(consumer.next()));
    assert!(begin.elapsed() < Duration::from_secs(6), "{:?}", begin.elapsed());
    let loss = session.closed().await;
    assert_eq!(sent.unwrap_err().reason, PublishErrorKind::Ambiguous(loss.clone()));
    assert_eq!(unsent.unwrap_err().reason, PublishErrorKind::NotSent(loss.clone()));
    assert_eq!(end.unwrap_err(), ConsumerError::Lost(loss));
    node.resume().unwrap();
}

#[tokio::test]
async fn a_blocked_connection_shows_and_holds_publishers_until_it_is_free() {
    let node = Node::start().await.unwrap();
    let session = connect_to(&node).await;
    declare(&session, "q").await;
    soon(session.publish(to_queue("q", "before"))).await.unwrap();
    assert_eq!(session.blocked(), None);

    node.set_memory_watermark(0.0).await.unwrap();
    // The first publish during the alarm makes the broker report it.
    let mut held = session.publish(to_queue("q", "held"));
    while session.blocked().is_none() {
        if timeout(Duration::from_millis(10), &mut held).await.is_ok() {
            held = session.publish(to_queue("q", "held"));
        }
    }
    assert!(session.blocked().unwrap().contains("memory"));
    assert!(timeout(Duration::from_millis(200), session.publish(to_queue("q", "held too"))).await.is_err());
    // The other connection is not blocked: consuming and settling continue.
    let mut consumer = consume(&session, "q", 10).await;
    next(&mut consumer).await.ack().unwrap();

    node.set_memory_watermark(0.4).await.unwrap();
    soon(held).await.unwrap();
    eventually("the alarm is over", async || session.blocked().is_none()).await;
    soon(session.close()).await.unwrap();
}

/// lapin opens a channel with the error that its number had before; the numbers of a connection are reused.
#[tokio::test]
async fn refusals_do_not_wear_a_session_out() {
    let place = Place::new().await;
    let session = connect(config(&place.vhost.uri()).channel_max(30)).await;
    declare(&session, "q").await;
    for number in 0..20 {
        let error = session.admin().declare_queue_passive("missing").await.unwrap_err();
        assert!(error.is_not_found(), "{number}: {error}");
    }
    for number in 0..20 {
        let consumer = consume(&session, "q", 1).await;
        soon(session.publish(to_queue("q", "m"))).await.unwrap();
        assert_eq!(
            session.admin().declare_queue_passive("q").await.map(|status| status.consumers),
            Ok(1),
            "{number}"
        );
        drop(consumer);
        soon(async { while session.admin().declare_queue_passive("q").await.unwrap().consumers > 0 {} })
            .await;
    }
    soon(session.close()).await.unwrap();
}

#[tokio::test]
async fn a_connection_whose_channel_numbers_are_used_up_ends_its_session() {
    let place = Place::new().await;
    let session = connect(config(&place.vhost.uri()).channel_max(10)).await;
    let mut refused = 0;
    let end = soon(async {
        loop {
            match session.admin().declare_queue_passive("missing").await {
                Err(SessionError::Refused(refusal)) if refusal.code == 404 => refused += 1,
                other => break other,
            }
        }
    });
    let end = end.await.map(drop).unwrap_err();
    assert!((5..50).contains(&refused), "{refused}");
    assert_eq!(end, SessionError::Lost(soon(session.closed()).await));
    assert!(end.to_string().contains("used up"), "{end}");
}

#[tokio::test]
async fn no_task_is_left_of_a_session() {
    let place = Place::new().await;
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    soon(place.session.close()).await.unwrap();
    // lapin's heartbeat tasks end with the next heartbeat that is due.
    let session = connect(config(&place.vhost.uri()).heartbeat(1)).await;
    declare(&session, "q").await;
    let results = publish_all(&session, (0..100).map(|number| to_queue("q", number.to_string()))).await;
    assert!(results.iter().all(Result::is_ok));
    let mut consumer = consume(&session, "q", 10).await;
    let kept = next(&mut consumer).await;
    let mut dropped = consume(&session, "q", 10).await;
    next(&mut dropped).await.ack().unwrap();
    drop(dropped);
    session.get("missing").await.map(drop).unwrap_err();
    soon(session.close()).await.unwrap();
    drop((session, consumer, kept));

    // Those of the first session, whose heartbeat is long, may be left.
    let heartbeats = 2;
    soon(async {
        while tasks() > heartbeats {
            sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn giving_up_on_a_close_ends_the_session_at_once() {
    let node = Node::start().await.unwrap();
    let session = connect_to(&node).await;
    declare(&session, "q").await;
    publish_before(&session).await;
    node.pause().unwrap();
    let publishing = soon(unconfirmed(&session)).await;
    assert!(timeout(Duration::from_millis(200), session.close()).await.is_err());
    assert!(soon(session.closed()).await.is_closed_here());
    let unpublished = soon(publishing).await.unwrap_err();
    assert_eq!(unpublished.reason, PublishErrorKind::Ambiguous(ConnectionLost::closed_here()));
    node.resume().unwrap();
}
