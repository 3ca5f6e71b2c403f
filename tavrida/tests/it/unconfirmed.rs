//! Publishes that are lost while their session goes on: a broker that never confirms (a quorum queue without a majority), or a direct
//! reply, which has its own connection. The broker delivers nothing again then, and would at once if the message were requeued.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tavrida::prelude::*;
use tavrida::transport::{
    Admin, ConnectionLost, Consume, Consumer, GetMessage, Publication, PublishError, PublishErrorKind,
    PublishFuture, Queue, Session, SessionError, Transport,
};

use crate::fixture::{Fixture, Notes, exchange, name, request_headers};

/// Loses the first `left` publishes to queues with this prefix.
#[derive(Clone)]
struct Unconfirmed {
    inner: Arc<dyn Transport>,
    prefix: &'static str,
    left: Arc<AtomicUsize>,
}

#[async_trait]
impl Transport for Unconfirmed {
    async fn connect(&self) -> Result<Arc<dyn Session>, SessionError> {
        Ok(Arc::new(Lossy { inner: self.inner.connect().await?, transport: self.clone() }))
    }

    fn endpoint(&self) -> String {
        self.inner.endpoint()
    }
}

struct Lossy {
    inner: Arc<dyn Session>,
    transport: Unconfirmed,
}

#[async_trait]
impl Session for Lossy {
    fn publish(&self, publication: Publication) -> PublishFuture<'_> {
        let left = &self.transport.left;
        let is_lost = publication.routing_key.starts_with(self.transport.prefix)
            && left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
        if is_lost {
            let reason = PublishErrorKind::Ambiguous(ConnectionLost::broken("no confirm came"));
            return PublishFuture::ready(Err(PublishError::new(reason, publication)));
        }
        self.inner.publish(publication)
    }

    fn admin(&self) -> &dyn Admin {
        self.inner.admin()
    }

    async fn get(&self, queue: &str) -> Result<Option<GetMessage>, SessionError> {
        self.inner.get(queue).await
    }

    async fn consume(&self, consume: &Consume) -> Result<Consumer, SessionError> {
        self.inner.consume(consume).await
    }

    async fn close(&self) -> Result<(), SessionError> {
        self.inner.close().await
    }

    async fn closed(&self) -> ConnectionLost {
        self.inner.closed().await
    }

    fn blocked(&self) -> Option<String> {
        self.inner.blocked()
    }
}

/// Returns the notes of a method of which the first publishes to these queues are lost, and the number of dead letters.
async fn runs(method: &str, prefix: &'static str, lost: usize) -> (Vec<String>, u32) {
    async fn fails(notes: State<Notes>) -> Result<()> {
        notes.add("ran");
        Err(Failure::new("test.Broken", "no"))
    }
    async fn answers(notes: State<Notes>) {
        notes.add("ran");
    }
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let work = Service::new("work").state(notes.clone()).rpc("fail", fails).rpc("answer", answers);
    let inner = Arc::new(fixture.broker.transport());
    let transport = Unconfirmed { inner, prefix, left: Arc::new(AtomicUsize::new(lost)) };
    let server = Server::builder(transport).queue("work").exchange(exchange("work")).service(work);
    let _server = fixture.run(server).await;
    let session = fixture.session().await;
    let waiting = session.admin().declare_queue(&Queue::exclusive()).await.expect("a queue").name;
    let mut request = Publication::new(name(""), name("work"), r#"{"payload": {}, "context": {}}"#);
    request.properties.headers = Some(request_headers(method, ""));
    request.properties.reply_to = Some(waiting).filter(|_| method == "work.answer");
    session.publish(request).await.expect("the queue takes it");
    tokio::time::sleep(Duration::from_secs(60)).await;
    (notes.all(), fixture.depth("work.dead").await)
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_is_not_confirmed_is_tried_again_and_the_handler_is_not() {
    assert_eq!(runs("work.fail", "work.dead", 3).await, (vec!["ran".to_owned()], 1));
}

#[tokio::test(start_paused = true)]
async fn a_request_whose_answer_is_not_confirmed_is_dead_lettered_and_not_handled_for_ever() {
    assert_eq!(runs("work.answer", "amq.gen-", usize::MAX).await, (vec!["ran".to_owned()], 1));
}
