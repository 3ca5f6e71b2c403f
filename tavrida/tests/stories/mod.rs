//! Stories of whole servers and clients: each runs on every broker that has an operator for it.
//!
//! The suite of a transport includes this folder, implements [`Broker`] and [`Operator`], and makes a test of each story with
//! [`each_story`].

pub(crate) mod alarms;
pub(crate) mod asks;
pub(crate) mod failures;
pub(crate) mod losses;
pub(crate) mod shutdown;
pub(crate) mod fixture;

use std::sync::Arc;
use std::time::Duration;

use tavrida::transport::{Session, Transport};

use fixture::soon;

/// A place on a broker that a story has to itself.
pub(crate) trait Broker: Sized {
    type Transport: Transport;

    /// How much longer than planned something takes at most.
    const LATENCY: Duration;

    /// Whether a request may reach its handler before its confirm comes back.
    const CONFIRMS_LATE: bool;

    async fn begin() -> Self;

    fn transport(&self) -> Self::Transport;

    /// Opens a session for the story itself. The limit of one attempt to connect may be short.
    async fn session(&self) -> Arc<dyn Session> {
        soon(async {
            loop {
                if let Ok(session) = self.transport().connect().await {
                    return session;
                }
            }
        })
        .await
    }
}

/// What an operator does to a whole broker.
pub(crate) trait Operator: Broker {
    /// Closes all sessions with a reason.
    async fn close_sessions(&self, reason: &str);

    /// Stops the broker in good order.
    async fn stop(&self);

    /// Starts the broker after [`stop`](Self::stop).
    async fn start_again(&self);

    /// Raises the memory alarm.
    async fn block(&self);

    /// Clears the memory alarm.
    async fn unblock(&self);

    /// Returns the number of queues.
    async fn queues(&self) -> usize;
}

/// Makes a test of each story: with the attribute of a test, a [`Broker`] and an [`Operator`].
macro_rules! each_story {
    ($test:meta, $broker:ty, $operator:ty) => {
        $crate::stories::tests! { $test, $broker:
            asks::an_ask_that_is_refused_costs_no_other_its_direct_reply,
            failures::failures_come_back_after_their_delay_and_end_as_dead_letters_that_can_be_sent_back,
            losses::a_deleted_queue_is_declared_and_consumed_again_within_the_session,
            shutdown::a_server_that_is_stopped_ends_what_is_under_way_and_gives_the_rest_back,
            shutdown::what_is_not_done_by_the_deadline_goes_back_to_the_queue,
        }
        $crate::stories::tests! { $test, $operator:
            alarms::an_alarm_does_not_keep_a_server_or_a_client_from_ending,
            alarms::an_alarm_shows_in_health_and_holds_what_is_sent_until_its_end,
            asks::answers_come_to_a_queue_and_by_direct_reply_to_also_after_a_loss,
            losses::after_a_restart_of_the_broker_topology_consumers_and_messages_are_there,
            losses::after_lost_sessions_server_and_client_are_back_and_no_ask_hangs,
        }
    };
}

macro_rules! tests {
    ($test:meta, $broker:ty: $($module:ident::$story:ident,)*) => {
        $(
            #[$test]
            async fn $story() {
                $crate::stories::$module::$story::<$broker>().await;
            }
        )*
    };
}

pub(crate) use {each_story, tests};
