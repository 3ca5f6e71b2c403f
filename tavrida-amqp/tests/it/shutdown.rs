//! The end of clients that are sending.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::sleep;

use crate::fixture::{Notes, client, serve, server, work};
use crate::support::{Place, count, soon};

#[tokio::test]
async fn clients_that_close_with_sends_under_way_wait_for_their_confirms() {
    let place = Place::new().await;
    let uri = place.vhost.uri();
    let (handle, serving) = serve(server(&uri, work(&Notes::new()))).await;
    handle.stop();
    soon(serving).await.unwrap().unwrap();
    let client = client(&uri).await;
    let sends: Vec<_> = (0..500).map(|n| tokio::spawn(client.to("work.note").param("n", n).cast())).collect();
    sleep(Duration::from_millis(1)).await;
    client.close().await;

    let sent = join_all(sends).await.into_iter().filter(|sent| sent.as_ref().unwrap().is_ok()).count();
    assert_eq!(count(&place.session, "work").await as usize, sent, "each is confirmed, or was not sent");
}
