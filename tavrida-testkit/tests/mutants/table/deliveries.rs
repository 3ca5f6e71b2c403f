//! Mutants with faults in consuming, settling and ending.

use tavrida::field::Table;
use tavrida::transport::{AckKind, ConnectionLost, ConsumerError};

use super::{Mutant, mutant};
use crate::twist::{Habit, Twist};

pub(super) fn consuming() -> Vec<Mutant> {
    vec![
        mutant(
            "there is no prefetch",
            Twist { consume: |consume| consume.prefetch = 0, ..Twist::NONE },
            "consuming",
            "no more than the prefetch",
        ),
        mutant(
            "the prefetch is one too many",
            Twist { consume: |consume| consume.prefetch += 1, ..Twist::NONE },
            "consuming",
            "no more than the prefetch",
        ),
        mutant(
            "a prefetch of 0 is one",
            Twist { consume: |consume| consume.prefetch = consume.prefetch.max(1), ..Twist::NONE },
            "consuming",
            "a prefetch of 0 is no limit",
        ),
        mutant(
            "consumers always acknowledge",
            Twist { consume: |consume| consume.no_ack = false, ..Twist::NONE },
            "consuming",
            "without acknowledgements all is settled when it is sent",
        ),
        mutant(
            "a consumer of replies may acknowledge",
            Twist { consume: |consume| consume.no_ack = true, ..Twist::NONE },
            "replies",
            "the consumer of replies does not acknowledge",
        ),
        mutant(
            "consumers never acknowledge",
            Twist { consume: |consume| consume.no_ack = true, ..Twist::NONE },
            "settling",
            "a requeued delivery comes first again",
        ),
        mutant(
            "no consumer is exclusive",
            Twist { consume: |consume| consume.exclusive = false, ..Twist::NONE },
            "ending",
            "an exclusive consumer keeps all others out",
        ),
        mutant(
            "consumers lose their arguments",
            Twist { consume: |consume| consume.arguments = Table::new(), ..Twist::NONE },
            "priorities",
            "a consumer of higher priority gets all that it can take",
        ),
        mutant(
            "two deliveries change places",
            Twist::habit(Habit::SwapsDeliveries),
            "consuming",
            "deliveries come in queue order",
        ),
        mutant(
            "a dropped consumer goes on consuming",
            Twist::habit(Habit::LeaksConsumers),
            "ending",
            "a dropped consumer gives back what it did not take",
        ),
        mutant(
            "cancelling loses what was sent",
            Twist::habit(Habit::CancelLoses),
            "ending",
            "a cancelled consumer gives what was sent, then its end",
        ),
        mutant(
            "a consumer tells its end only once",
            Twist::habit(Habit::EndsOnce),
            "ending",
            "deleting the queue ends the consumer",
        ),
        mutant(
            "the end of a consumer is known to who takes everything alone",
            Twist::habit(Habit::EndsLate),
            "ending",
            "the end is known before what came ahead of it is taken",
        ),
        mutant(
            "a consumer that the broker cancelled thinks it did so itself",
            Twist { end: |end| *end = ConsumerError::Cancelled, ..Twist::NONE },
            "ending",
            "deleting the queue ends every consumer",
        ),
        mutant(
            "get counts its own message among those left",
            Twist { left: |left| left + 1, ..Twist::NONE },
            "getting",
            "tells how many are left",
        ),
    ]
}

pub(super) fn settling() -> Vec<Mutant> {
    vec![
        mutant(
            "nothing is marked as redelivered",
            Twist { redelivered: |_| false, ..Twist::NONE },
            "settling",
            "a requeued delivery comes first again",
        ),
        mutant(
            "everything is marked as redelivered",
            Twist { redelivered: |_| true, ..Twist::NONE },
            "consuming",
            "a message that was never handed out is not redelivered",
        ),
        mutant(
            "requeued messages are lost",
            Twist {
                verdict: |verdict| change_verdict(verdict, AckKind::Requeue, AckKind::Ack),
                ..Twist::NONE
            },
            "settling",
            "a delivery that is dropped comes again",
        ),
        mutant(
            "rejected messages come again",
            Twist {
                verdict: |verdict| change_verdict(verdict, AckKind::Reject, AckKind::Requeue),
                ..Twist::NONE
            },
            "settling",
            "a rejected message is gone",
        ),
        mutant(
            "rejected messages are acknowledged",
            Twist {
                verdict: |verdict| change_verdict(verdict, AckKind::Reject, AckKind::Ack),
                ..Twist::NONE
            },
            "dead letters",
            "a rejected message goes to the dead-letter exchange",
        ),
        mutant(
            "an acknowledgement covers all before it",
            Twist::habit(Habit::AcksMultiple),
            "settling",
            "a hundred unsettled deliveries",
        ),
        mutant(
            "the hundredth settlement is lost",
            Twist::habit(Habit::LosesHundredth),
            "closing",
            "settlements that were made are flushed",
        ),
    ]
}

fn change_verdict(verdict: AckKind, from: AckKind, to: AckKind) -> AckKind {
    if verdict == from { to } else { verdict }
}

pub(super) fn ending() -> Vec<Mutant> {
    vec![
        mutant(
            "settlements of a closed session are taken without a word",
            Twist::habit(Habit::SettlesStale),
            "closing",
            "settlements fail afterwards with the loss",
        ),
        mutant(
            "settlements of a lost session are taken without a word",
            Twist::habit(Habit::SettlesStale),
            "loss",
            "settlements of the lost session are stale",
        ),
        mutant(
            "a dead session answers",
            Twist::habit(Habit::OutlivesItself),
            "closing",
            "all operations fail afterwards",
        ),
        mutant(
            "closing a closed session fails",
            Twist::habit(Habit::ClosesOnce),
            "closing",
            "closing twice is fine",
        ),
        mutant(
            "those who wait for the end are not told",
            Twist::habit(Habit::EndsInSilence),
            "closing",
            "everybody who waits for the end is told the same",
        ),
        mutant(
            "a closed session is called broken",
            Twist { loss: |_| ConnectionLost::broken("gone"), ..Twist::NONE },
            "closing",
            "who asks later is told the same",
        ),
        mutant(
            "the broker's words at the end are lost",
            Twist { loss: |_| ConnectionLost::broken("gone"), ..Twist::NONE },
            "loss",
            "is told with its code (320)",
        ),
        mutant(
            "a consumer of a closed session thinks it was cancelled",
            Twist { end: |end| *end = ConsumerError::Cancelled, ..Twist::NONE },
            "closing",
            "consumers end with the loss",
        ),
    ]
}
