//! Sessions that share connections: what they share, and what stays separate.

use std::sync::Arc;

use futures_util::future::join_all;
use tavrida::prelude::*;
use tavrida::transport::{Publication, Queue, Session, SessionError, Transport};
use tavrida_amqp::AmqpTransport;
use tavrida_rabbitmq::{Proxy as Wire, VirtualHost};

use crate::fixture::{Notes, eventually, registry, work};
use crate::support::{body, config, consume, count, declare, name, next, soon, to_queue};

/// A wire that counts its connections, and a transport over it.
async fn counted() -> (VirtualHost, Wire, AmqpTransport) {
    let vhost = tavrida_rabbitmq::shared_vhost().await.unwrap();
    let wire = Wire::to(vhost.node()).await.unwrap();
    let transport = AmqpTransport::new(config(&wire.uri_for(vhost.name())));
    (vhost, wire, transport)
}

async fn two(transport: &AmqpTransport) -> [Arc<dyn Session>; 2] {
    let clone = transport.clone();
    let (first, second) = tokio::join!(soon(transport.connect()), soon(clone.connect()));
    [first.unwrap(), second.unwrap()]
}

#[tokio::test]
async fn clones_of_a_transport_share_two_connections_which_end_with_the_last_session() {
    let (_vhost, wire, transport) = counted().await;
    let sessions = soon(join_all((0..50).map(|_| transport.connect()))).await;
    assert_eq!(wire.connections(), 2);
    let mut sessions: Vec<_> = sessions.into_iter().map(Result::unwrap).collect();
    let last = sessions.pop().unwrap();
    for session in sessions {
        soon(session.close()).await.unwrap();
    }
    assert_eq!(wire.connections(), 2);
    declare(&last, "q").await;
    soon(last.publish(to_queue("q", "still here"))).await.unwrap();
    soon(last.close()).await.unwrap();
    eventually("the connections are closed", async || wire.connections() == 0).await;
    let again = soon(transport.connect()).await.unwrap();
    assert_eq!(count(&again, "q").await, 1);
}

#[tokio::test]
async fn more_sessions_than_connections_have_channels_for_take_further_connections() {
    let (_vhost, wire, _) = counted().await;
    let small = AmqpTransport::new(config(&wire.uri()).channel_max(70));
    let _sessions = soon(join_all((0..5).map(|_| small.connect()))).await;
    assert_eq!(wire.connections(), 6, "two sessions each");
}

#[tokio::test]
async fn an_unshared_transport_makes_two_connections_for_each_session() {
    let (_vhost, wire, transport) = counted().await;
    let _sessions = two(&transport.unshared()).await;
    assert_eq!(wire.connections(), 4);
}

#[tokio::test]
async fn a_session_that_is_closed_gives_back_what_is_its_own_and_nothing_else() {
    let (_vhost, _wire, transport) = counted().await;
    let [closing, staying] = two(&transport).await;
    declare(&closing, "q").await;
    let own = closing.admin().declare_queue(&Queue::exclusive()).await.unwrap().name;
    for n in 0..3 {
        soon(staying.publish(to_queue("q", n.to_string()))).await.unwrap();
    }
    let mut consumer = consume(&closing, "q", 10).await;
    next(&mut consumer).await.ack().unwrap();
    let unsettled = next(&mut consumer).await;
    let fetched = closing.get("q").await.unwrap();
    assert!(fetched.is_none(), "all is handed out");

    soon(closing.close()).await.unwrap();
    assert!(unsettled.ack().is_err());
    let mut others = consume(&staying, "q", 10).await;
    let again = next(&mut others).await;
    assert_eq!((body(&again).as_str(), again.redelivered()), ("1", true));
    assert_eq!(body(&next(&mut others).await), "2");
    assert!(staying.admin().declare_queue_passive(&own).await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn a_dropped_session_gives_back_its_messages_while_others_live() {
    let (_vhost, _wire, transport) = counted().await;
    let [dropped, staying] = two(&transport).await;
    declare(&staying, "q").await;
    soon(staying.publish(to_queue("q", "back"))).await.unwrap();
    let fetched = dropped.get("q").await.unwrap().expect("it is there");
    drop(dropped);
    eventually("it is back", async || count(&staying, "q").await == 1).await;
    assert!(fetched.delivery.ack().is_err());
}

#[tokio::test]
async fn an_exclusive_queue_is_locked_for_other_sessions_on_its_connection_too() {
    let (vhost, _wire, transport) = counted().await;
    let [owner, other] = two(&transport).await;
    let queue = Queue { exclusive: true, ..Queue::transient(name("own")) };
    owner.admin().declare_queue(&queue).await.unwrap();
    let outside = crate::support::connect(config(&vhost.uri())).await;
    for session in [&other, &outside] {
        let refused = session.admin().declare_queue_passive("own").await.unwrap_err();
        let SessionError::Refused(refusal) = &refused else { panic!("{refused}") };
        let words =
            format!("cannot obtain exclusive access to locked queue 'own' in vhost '{}'", vhost.name());
        assert!(refusal.code == 405 && refusal.text.contains(&words), "{refusal}");
    }
    owner.admin().delete_queue("own", false, false).await.unwrap();
    other.admin().declare_queue(&queue).await.unwrap();
}

#[tokio::test]
async fn a_refusal_of_one_session_costs_the_others_nothing() {
    let (_vhost, _wire, transport) = counted().await;
    let [refused, staying] = two(&transport).await;
    declare(&staying, "q").await;
    let wrong = Publication::new(name("missing"), name("q"), "x");
    soon(refused.publish(wrong)).await.unwrap_err();
    refused.admin().declare_queue_passive("missing").await.unwrap_err();
    soon(staying.publish(to_queue("q", "fine"))).await.unwrap();
    assert_eq!(count(&staying, "q").await, 1);
}

/// Each asker gets its own replies, including direct replies of the broker.
#[tokio::test]
async fn a_server_and_many_clients_of_one_transport_answer_each_other() {
    let (_vhost, wire, transport) = counted().await;
    let server = Server::builder(transport.clone()).queue("work").exchange("work_exchange");
    let server = server.service(work(&Notes::new())).build().unwrap();
    let handle = server.handle();
    let serving = tokio::spawn(server.serve(std::future::pending()));
    handle.ready(crate::support::SOON).await.unwrap();
    let asks = join_all((0..20).map(async |n| {
        let mut builder =
            Client::builder(transport.clone()).source(format!("client{n}")).discovery(registry());
        if n % 2 == 0 {
            builder = builder.direct_replies();
        }
        let client = builder.build().await.unwrap();
        let answer = client.to("work.echo").ask().await.unwrap();
        client.close().await;
        answer.payload().get::<String>("from").unwrap()
    }));
    let answers = soon(asks).await;
    assert_eq!(answers, (0..20).map(|n| format!("client{n}")).collect::<Vec<_>>());
    assert_eq!(wire.connections(), 3, "two for all, and one for the server's direct replies");
    handle.stop();
    soon(serving).await.unwrap().unwrap();
}
