//! Each side accepts what the other declares.

use super::wire::Peer;
use super::{EXCHANGES, QUEUES, friends};
use crate::fixture::Notes;
use crate::support::{config, connect};
use tavrida::transport::{Exchange, ExchangeKind};

/// All that the original declares and binds for the two friends.
async fn declare_as_the_original(peer: &Peer) -> lapin::Result<()> {
    for exchange in EXCHANGES {
        peer.exchange(exchange).await?;
    }
    for queue in QUEUES {
        peer.queue(queue).await?;
    }
    peer.bind(QUEUES[0], "test_exchange", "test_hello.#").await?;
    peer.bind(QUEUES[1], "test_world_exchange", "test_world.#").await?;
    peer.bind(QUEUES[1], "test_notification_exchange", "test_hello.pub.#").await
}

/// A declare of an existing name is refused unless type, flags and arguments are the same.
#[tokio::test]
async fn what_either_declares_first_the_other_finds_as_it_wants_it() {
    for original_first in [true, false] {
        let vhost = tavrida_rabbitmq::shared_vhost().await.unwrap();
        let peer = Peer::connect(&vhost).await;
        if original_first {
            declare_as_the_original(&peer).await.unwrap();
        }
        let servers = friends(&vhost, &Notes::new()).await;
        declare_as_the_original(&peer).await.unwrap();
        servers.iter().for_each(tavrida::server::ServerHandle::stop);
    }
}

/// The same test with a wrong declaration, so that the right one proves something.
#[tokio::test]
async fn a_fanout_exchange_of_that_name_is_refused_to_the_original() {
    let vhost = tavrida_rabbitmq::shared_vhost().await.unwrap();
    let session = connect(config(&vhost.uri())).await;
    let fanout = Exchange::durable(crate::support::name("test_exchange"), ExchangeKind::Fanout);
    session.admin().declare_exchange(&fanout).await.unwrap();
    let error = declare_as_the_original(&Peer::connect(&vhost).await).await.unwrap_err().to_string();
    assert!(error.contains("PRECONDITION"), "{error}");
}
