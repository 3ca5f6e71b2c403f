//! External interventions on a broker and its sessions: restarts, kills, and closes by operators.

use tavrida::transport::{Consume, ConsumerError, Properties, Publication};
use tavrida_memory::MemoryBroker;
use tavrida_memory::core::Operator;

use crate::{Q, message, ready, with_queue};

#[tokio::test]
async fn a_restart_ends_sessions_with_320_and_keeps_what_is_durable() {
    let broker = MemoryBroker::new();
    let session = with_queue(&broker).await;
    let persistent = Properties { delivery_mode: Some(Properties::PERSISTENT), ..Properties::default() };
    session.publish(Publication { properties: persistent, ..message("kept") }).await.unwrap();
    session.publish(message("lost")).await.unwrap();
    broker.restart();
    let loss = session.closed().await;
    assert_eq!(loss.refusal().map(|refusal| refusal.code), Some(320));
    assert_eq!(ready(&broker, "q"), 1);
    broker.kill();
    let again = crate::session(&broker).await;
    let fetched = again.get("q").await.unwrap().unwrap();
    assert!(fetched.delivery.redelivered(), "after a kill all is marked");
    fetched.delivery.ack().unwrap();
}

#[tokio::test]
async fn a_kill_breaks_sessions_without_a_word() {
    let broker = MemoryBroker::new();
    let session = with_queue(&broker).await;
    let mut consumer = session.consume(&Consume::new(Q, 1)).await.unwrap();
    broker.kill();
    let loss = session.closed().await;
    assert!(loss.refusal().is_none() && !loss.is_closed_here());
    assert_eq!(consumer.next().await.unwrap_err(), ConsumerError::Lost(loss));
}

#[tokio::test]
async fn cancelled_and_closed_consumers_know_why_and_the_session_lives() {
    let broker = MemoryBroker::new();
    let session = with_queue(&broker).await;
    let mut consumer = session.consume(&Consume::new(Q, 1)).await.unwrap();
    assert_eq!(broker.cancel_consumers("q"), 1);
    assert_eq!(consumer.next().await.unwrap_err(), ConsumerError::CancelledByBroker);
    let mut consumer = session.consume(&Consume::new(Q, 1)).await.unwrap();
    session.publish(message("m")).await.unwrap();
    let delivery = consumer.next().await.unwrap();
    let text = "PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out";
    assert_eq!(broker.close_consumers("q", 406, text), 1);
    let loss = delivery.ack().unwrap_err();
    assert_eq!(loss.refusal().map(|refusal| refusal.text.as_str()), Some(text));
    let Err(ConsumerError::Refused(refusal)) = consumer.next().await else { panic!() };
    assert_eq!(refusal.code, 406);
    let fetched = session.get("q").await.unwrap().unwrap();
    assert!(fetched.delivery.redelivered());
    fetched.delivery.ack().unwrap();
    assert_eq!(broker.cancel_consumers("q"), 0);
}

#[tokio::test]
async fn a_session_goes_on_though_an_operator_closed_all_its_channels() {
    let broker = MemoryBroker::new();
    let session = with_queue(&broker).await;
    for connection in broker.snapshot().connections {
        for channel in connection.channels.iter().map(|channel| channel.id) {
            let text = "CONNECTION_FORCED - enough".to_owned();
            broker.operate(Operator::CloseChannel { channel, code: 406, text });
        }
    }
    assert!(session.admin().declare_queue_passive("q").await.is_ok());
    session.publish(message("m")).await.expect("the channel that publishes is replaced as well");
    assert_eq!(ready(&broker, "q"), 1, "and what was said to be routed is there");
}
