//! A consumer as used by a check.

use futures_util::FutureExt;
use tavrida::transport::{Consumer, ConsumerError, Delivery};

use crate::check::{Fault, Kept, same, settled};
use crate::harness::Harness;
use crate::values::body;

/// One consumer; each wait has a limit.
pub(crate) struct Tap {
    consumer: Consumer,
    harness: Harness,
    queue: String,
}

impl Tap {
    pub(crate) fn new(consumer: Consumer, harness: Harness, queue: &str) -> Self {
        Self { consumer, harness, queue: queue.to_owned() }
    }

    /// Returns the next delivery, which must come.
    pub(crate) async fn next(&mut self) -> Result<Delivery, Fault> {
        let what = format!("a delivery from '{}'", self.queue);
        let next = self.harness.within(&what, self.consumer.next()).await?;
        next.map_err(|end| Fault::new(&what, end))
    }

    /// Returns the next `count` deliveries.
    pub(crate) async fn take(&mut self, count: usize) -> Result<Vec<Delivery>, Fault> {
        let mut deliveries = Vec::with_capacity(count);
        for _ in 0..count {
            deliveries.push(self.next().await?);
        }
        Ok(deliveries)
    }

    /// Checks that the next deliveries have these bodies, and acknowledges each.
    pub(crate) async fn gives(&mut self, expected: &[&str]) -> Kept {
        for text in expected {
            let delivery = self.next().await?;
            same(&format!("the next body from '{}'", self.queue), body(&delivery).as_str(), *text)?;
            settled("ack", delivery.ack())?;
        }
        Ok(())
    }

    /// Returns the end of the consumer, which must come next.
    pub(crate) async fn end(&mut self) -> Result<ConsumerError, Fault> {
        let what = format!("the end of the consumer of '{}'", self.queue);
        match self.harness.within(&what, self.consumer.next()).await? {
            Err(end) => Ok(end),
            Ok(delivery) => Err(Fault::new(&what, format_args!("a delivery: {:?}", body(&delivery)))),
        }
    }

    /// Checks that nothing has come. The caller must first have seen something that the broker orders after it.
    pub(crate) fn idle(&mut self) -> Kept {
        match self.consumer.next().now_or_never() {
            None => Ok(()),
            Some(seen) => {
                let seen = seen.map(|delivery| body(&delivery));
                Err(Fault::new(
                    format_args!("nothing for the consumer of '{}'", self.queue),
                    format_args!("{seen:?}"),
                ))
            }
        }
    }

    /// Cancels the consumer.
    pub(crate) async fn cancel(&mut self) -> Kept {
        self.harness.done("cancelling the consumer", self.consumer.cancel()).await
    }

    /// Returns the consumer itself.
    pub(crate) fn consumer(&mut self) -> &mut Consumer {
        &mut self.consumer
    }
}
