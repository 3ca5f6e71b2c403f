//! Servers, clients and sessions whose task or runtime has ended, over RabbitMQ: they say so, and nothing waits for them.

use std::time::Duration;

use tavrida::Health;
use tavrida::proxy::AskError;
use tavrida::transport::{Publication, Transport};
use tokio::runtime::Runtime;

use crate::fixture::{Notes, client, run, serve, server, transport, work};
use crate::support::{config, name, soon};

#[tokio::test]
async fn an_aborted_server_is_stopped_and_its_messages_are_another_ones() {
    let (vhost, notes) = (tavrida_rabbitmq::shared_vhost().await.unwrap(), Notes::new());
    let (handle, serving) = serve(server(&vhost.uri(), work(&notes))).await;
    let client = client(&vhost.uri()).await;
    client.to("work.gated").param("n", 1).cast().await.unwrap();
    notes.reach(1).await;

    serving.abort();
    assert!(soon(serving).await.unwrap_err().is_cancelled());
    assert_eq!(handle.health(), Health::Stopped);
    assert!(soon(handle.ready(Duration::from_secs(600))).await.unwrap_err().is_closed());

    let _another = run(server(&vhost.uri(), work(&notes))).await;
    assert_eq!(notes.reach(2).await[1], "begin 1");
    notes.open_gate();
}

/// As of a static that the tests of a program share: each has a runtime of its own.
#[test]
fn a_client_whose_runtime_is_gone_is_stopped_and_its_sends_end_as_closed() {
    let (home, notes) = (Runtime::new().unwrap(), Notes::new());
    let vhost = home.block_on(tavrida_rabbitmq::shared_vhost()).unwrap();
    let _server = home.block_on(run(server(&vhost.uri(), work(&notes))));
    let runtime = Runtime::new().unwrap();
    let client = runtime.block_on(client(&vhost.uri()));
    // Its reply queue belongs to the same runtime.
    runtime.block_on(client.to("work.echo").ask()).unwrap();
    let waiting = home.spawn(client.to("work.gated").param("n", 1).ask().timeout(Duration::from_secs(600)));
    home.block_on(notes.reach(1));

    drop(runtime);

    home.block_on(async {
        let lost = soon(waiting).await.unwrap();
        // Whether its request was confirmed before is a matter of moments.
        let ended = match &lost {
            Err(AskError::Lost(_)) => true,
            Err(AskError::NotSent(error)) => error.is_ambiguous(),
            _ => false,
        };
        assert!(ended, "{lost:?}");
        assert_eq!(client.health(), Health::Stopped);
        assert!(soon(client.to("work.echo").cast()).await.unwrap_err().is_closed());
        let asked = soon(client.to("work.echo").ask()).await;
        assert!(matches!(&asked, Err(AskError::NotSent(error)) if error.is_closed()), "{asked:?}");
        soon(client.close()).await;
        notes.open_gate();
    });
}

#[test]
fn a_session_whose_runtime_is_gone_is_over() {
    let (home, runtime) = (Runtime::new().unwrap(), Runtime::new().unwrap());
    let vhost = home.block_on(tavrida_rabbitmq::shared_vhost()).unwrap();
    let session = runtime.block_on(transport(&vhost.uri()).connect()).unwrap();
    drop(runtime);
    home.block_on(async {
        soon(session.closed()).await;
        let publication = Publication::new(name(""), name("nobody"), "late");
        assert!(soon(session.publish(publication)).await.is_err());
        assert!(soon(session.admin().declare_exchange_passive("amq.topic")).await.is_err());
        soon(session.close()).await.expect("closing an ended session is fine, and does not hang");
    });
    // The node is none the worse for it.
    home.block_on(async {
        soon(tavrida_amqp::AmqpTransport::new(config(&vhost.uri())).connect()).await.unwrap()
    });
}
