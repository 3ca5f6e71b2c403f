//! Steps that prove nothing: those whose outcome RabbitMQ leaves to chance, and those that meet bugs of RabbitMQ that are not copied. Each
//! names the rule of the broker semantics.

use std::collections::{BTreeMap, BTreeSet};

use tavrida::field::{ShortString, Table, Value};
use tavrida_memory::core::{
    Arrival, Broker, ChannelId, ConnectionId, Delivered, Effect, Method, Operator, RabbitMq, Snapshot,
};

use crate::action::{Action, declares};
use crate::program::{CHANNELS, Mode};
use crate::shadow::{ChannelShadow, priority};
use crate::world::World;

/// Returns whether a step is left out.
pub(crate) fn vetoes(world: &World, channel: ChannelId, action: &Action) -> bool {
    if let Action::Together(calls) = action {
        let one =
            |(channel, method): &(ChannelId, Method)| vetoes(world, *channel, &Action::Call(method.clone()));
        return calls.len() < 2
            || calls.iter().any(one)
            || delivers_from_two_queues(world, channel, action)
            || matters_who_is_first(world, channel, calls);
    }
    waits_for_an_alarm(world, channel, action)
        || drops_in_several_queues(world, channel, action)
        || meets_stale_tags(world, action)
        || mixes_priority_and_expiry(world, action)
        || delivers_from_two_queues(world, channel, action)
        || shares_a_limit(world, channel, action)
        || settles_under_a_shared_limit(world, channel, action)
        || cancels_an_active_consumer(world, channel, action)
        || discards_from_several_queues(world, channel, action)
        || feeds_a_queue_twice(world, channel, action)
        || outlives_the_program(action)
        || breaks_rabbitmq(action)
        || ends_two_channels_at_once(world, channel, action)
        || commits_acks_beside_messages(world, channel, action)
        || changes_the_type_behind_a_name(world, action)
        || lets_chance_name_two_consumers(world, channel, action)
        || crashes_on_its_text(world, action)
        || takes_up_a_tag(world, channel, action)
        || takes_over_what_is_busy(world, channel, action)
}

/// R10: a connection that publishes during an alarm is not read until the alarm is over. What two of them sent meanwhile, and what sends from
/// outside of the alarm, comes in any order; and a new connection does not know of the alarm, which is raised for those that exist.
fn waits_for_an_alarm(world: &World, channel: ChannelId, action: &Action) -> bool {
    let raised = world.broker.alarm().is_some();
    match action {
        Action::Operate(Operator::Block { .. }) => raised,
        Action::Operate(Operator::Unblock) => !raised,
        _ if !raised => false,
        Action::Call(method) => {
            let publishes = matches!(method, Method::BasicPublish { .. });
            let alone = |blocked| publishes || blocked == channel.connection;
            world.shadow.blocked.is_some_and(alone)
                || world.after(channel, action).1.as_slice().iter().any(ends_connection)
        }
        _ => true,
    }
}

/// R172: what several queues drop at once, because of a policy, is dead-lettered in any order.
fn drops_in_several_queues(world: &World, channel: ChannelId, action: &Action) -> bool {
    let Action::Operate(Operator::SetPolicy(_) | Operator::ClearPolicy { .. }) = action else { return false };
    let (before, after) = (world.broker.snapshot(), world.after(channel, action).0.snapshot());
    let changed = before
        .queues
        .iter()
        .filter(|queue| after.queue(&queue.name).is_none_or(|after| after.ready != queue.ready));
    changed.count() > 1
}

/// R63: unsettled deliveries of a deleted queue refer to messages of the next queue of that name.
fn meets_stale_tags(world: &World, action: &Action) -> bool {
    declares(action).is_some_and(|name| {
        let mut channels = world.shadow.channels.values();
        channels.any(|channel| channel.unacked.iter().any(|unacked| unacked.queue == name))
            && !world.exists(name)
    })
}

/// R70: in a queue with priorities expired messages may stay.
fn mixes_priority_and_expiry(world: &World, action: &Action) -> bool {
    let (priorities, expires) = match action {
        Action::Call(Method::QueueDeclare(declare)) if !declare.passive => {
            let arguments = &declare.arguments;
            (arguments.contains("x-max-priority"), arguments.contains("x-message-ttl"))
        }
        Action::Call(Method::BasicPublish { publication, .. }) => {
            (false, publication.properties.expiration.is_some())
        }
        Action::Operate(Operator::SetPolicy(policy)) => (false, policy.definition.message_ttl.is_some()),
        _ => return false,
    };
    (priorities && (expires || world.shadow.expires)) || (expires && world.shadow.priorities)
}

/// R108, R171, R173: deliveries of two queues to one channel come in any order, and any of several queues gets the credit of a shared limit.
fn delivers_from_two_queues(world: &World, channel: ChannelId, action: &Action) -> bool {
    let consumes = |state: &ChannelShadow| state.consumed().count() > 1;
    let begins = matches!(action, Action::Call(Method::BasicConsume(_)) | Action::Together(_));
    if !begins && !world.shadow.channels.values().any(consumes) {
        return false;
    }
    let (mut after, _) = world.after(channel, action);
    let (before, later) = (world.broker.snapshot(), after.snapshot());
    let waits = |queue: &ShortString| {
        let mut queues = before.queues.iter().chain(&later.queues);
        queues.any(|known| world.symbol(&known.name) == *queue && !known.ready.is_empty())
    };
    after.sending().into_iter().any(|to| {
        let state = world.shadow.channel(to);
        let mut from = BTreeSet::new();
        while let Some(arrival) = after.take(to) {
            let (Arrival::Delivery(Delivered { consumer_tag: tag, .. })
            | Arrival::Cancel { consumer_tag: tag }) = arrival;
            // `None` stands for the consumer that the action begins.
            from.insert(state.consumers.get(&world.symbol(&tag)).map(|consumer| consumer.queue.clone()));
        }
        let others = state.consumed().filter(|queue| !from.contains(&Some((*queue).clone())));
        from.len() > 1
            || (state.shares_limit && !from.is_empty() && others.filter(|queue| waits(queue)).count() > 0)
    })
}

/// R108, R173: under a shared limit, any of several consumers of one queue may get the next message.
fn shares_a_limit(world: &World, channel: ChannelId, action: &Action) -> bool {
    let state = world.shadow.channel(channel);
    match action {
        Action::Call(Method::BasicConsume(consume)) => {
            let queue = world.shadow.queue(channel, &consume.queue);
            state.shares_limit && state.consumed().any(|consumed| consumed == queue)
        }
        Action::Call(Method::BasicQos { global, .. }) => {
            *global && state.consumers.len() > state.consumed().count()
        }
        _ => false,
    }
}

/// R178: what is settled goes to its queue, and the credit that this gives through the limiter: the next message may be sent between, and
/// what comes to a full queue as a dead letter may find its consumer still without credit.
fn settles_under_a_shared_limit(world: &World, channel: ChannelId, action: &Action) -> bool {
    let Action::Call(method) = action else { return false };
    let state = world.shadow.channel(channel);
    let waits = |queue: &ShortString| world.counts(queue).is_some_and(|(ready, _)| ready > 0);
    let returns = state.unacked.iter().any(|unacked| waits(&unacked.queue));
    state.shares_limit
        && match method {
            Method::BasicNack { requeue: true, .. }
            | Method::BasicReject { requeue: true, .. }
            | Method::BasicRecover { .. }
            | Method::BasicRecoverAsync { .. } => returns,
            Method::BasicNack { requeue: false, .. } | Method::BasicReject { requeue: false, .. } => {
                world.shadow.dead_letters && state.consumed().any(|queue| drops_its_messages(world, queue))
            }
            _ => false,
        }
}

/// Returns whether a queue drops what no consumer takes at once.
fn drops_its_messages(world: &World, queue: &ShortString) -> bool {
    let arguments = world.shadow.queues.get(queue);
    let has = |key| arguments.is_some_and(|arguments| arguments.contains(key));
    world.shadow.policies
        || world.shadow.expires
        || has("x-max-length")
        || has("x-max-length-bytes")
        || has("x-message-ttl")
}

/// R115: the next active consumer does not get the ready messages.
fn cancels_an_active_consumer(world: &World, channel: ChannelId, action: &Action) -> bool {
    let Action::Call(Method::BasicCancel { consumer_tag, .. }) = action else { return false };
    let Some(consumer) = world.shadow.channel(channel).consumers.get(consumer_tag) else { return false };
    let single = world.shadow.queues.get(&consumer.queue);
    single.is_some_and(|arguments| arguments.contains("x-single-active-consumer"))
        && world.counts(&consumer.queue).is_some_and(|(ready, consumers)| ready > 0 && consumers > 1)
}

/// R172, R173: what several queues dead-letter in one step arrives in any order.
fn discards_from_several_queues(world: &World, channel: ChannelId, action: &Action) -> bool {
    match action {
        Action::Call(
            Method::BasicNack { multiple: true, .. }
            | Method::BasicRecover { .. }
            | Method::BasicRecoverAsync { .. }
            | Method::ChannelClose
            | Method::TxCommit,
        )
        | Action::CloseConnection
        | Action::Abort => {}
        _ => return false,
    }
    let unacked = &world.shadow.channel(channel).unacked;
    world.shadow.dead_letters && unacked.iter().any(|delivery| delivery.queue != unacked[0].queue)
}

/// R172: whether the end of a connection returns messages to several queues, one of which then dead-letters: what returns and what that one
/// gives may meet in another queue, in any order.
pub(crate) fn ends_in_a_race(world: &World, connection: ConnectionId) -> bool {
    let channels = world.shadow.channels.iter().filter(|(channel, _)| channel.connection == connection);
    let unacked = channels.flat_map(|(_, state)| &state.unacked);
    let queues: BTreeSet<&ShortString> = unacked.map(|unacked| &unacked.queue).collect();
    world.shadow.dead_letters
        && queues.len() > 1
        && queues.iter().any(|queue| drops_its_messages(world, queue))
}

/// R172: messages that enter a queue on two paths in one step, one of them by dead-lettering, come in any order.
fn feeds_a_queue_twice(world: &World, channel: ChannelId, action: &Action) -> bool {
    let Action::Call(Method::BasicPublish { .. } | Method::TxCommit) = action else {
        return false;
    };
    if !world.shadow.dead_letters {
        return false;
    }
    let mut gained = BTreeMap::<ShortString, usize>::new();
    let (before, (mut copy, _)) = (world.broker.snapshot(), world.after(channel, action));
    for after in copy.snapshot().queues {
        let mut old = before
            .queues
            .iter()
            .find(|queue| queue.name == after.name)
            .map_or_else(Vec::new, |q| q.ready.clone());
        for body in &after.ready {
            match old.iter().position(|known| known == body) {
                Some(place) => drop(old.swap_remove(place)),
                None => *gained.entry(after.name.clone()).or_default() += 1,
            }
        }
    }
    for channel in copy.sending() {
        let consumers = &world.shadow.channel(channel).consumers;
        while let Some(arrival) = copy.take(channel) {
            if let Arrival::Delivery(delivered) = arrival
                && let Some(consumer) = consumers.get(&delivered.consumer_tag)
            {
                *gained.entry(consumer.queue.clone()).or_default() += 1;
            }
        }
    }
    gained.values().any(|count| *count > 1) || hides_what_fed_it(world, &before, &copy)
}

/// Returns whether the message entered a full queue and another one that dropped a message for it: the dead letter of that one may enter
/// the full queue as well, of which only the last message is seen.
fn hides_what_fed_it(world: &World, before: &Snapshot, after: &Broker) -> bool {
    let (routed, after): (Vec<&str>, _) = (after.last_routed().collect(), after.snapshot());
    let has = |name: &str, argument: &str| {
        world.shadow.policies
            || world.shadow.queues.get(name).is_some_and(|arguments| arguments.contains(argument))
    };
    let ready = |snapshot: &Snapshot, name| snapshot.queue(name).map_or(0, |queue| queue.ready.len());
    let limited = |name| has(name, "x-max-length") || has(name, "x-max-length-bytes");
    let gave_up = |name| has(name, "x-dead-letter-exchange") && ready(&after, name) <= ready(before, name);
    routed.iter().any(|name| limited(name) && routed.iter().any(|other| other != name && gave_up(other)))
}

/// R175: whether the credit of acks is available for the messages of the same commit is undefined, and a quorum queue takes returns before
/// messages.
fn commits_acks_beside_messages(world: &World, channel: ChannelId, action: &Action) -> bool {
    let state = world.shadow.channel(channel);
    matches!(action, Action::Call(Method::TxCommit))
        && (state.limits || has_quorum_queue(world))
        && state.published
        && !state.settled.is_empty()
}

/// R176: a channel that used a queue crashes on the next of its name if that has another type.
fn changes_the_type_behind_a_name(world: &World, action: &Action) -> bool {
    let Action::Call(Method::QueueDeclare(declare)) = action else { return false };
    let known = world.shadow.queues.get(&declare.queue);
    !declare.passive && known.is_some() && is_quorum(known) != is_quorum(Some(&declare.arguments))
}

fn has_quorum_queue(world: &World) -> bool {
    world.shadow.queues.values().any(|arguments| is_quorum(Some(arguments)))
}

fn is_quorum(arguments: Option<&Table>) -> bool {
    arguments.and_then(|arguments| arguments.get("x-queue-type")).and_then(Value::as_str) == Some("quorum")
}

/// R97, R106: cancels come in the order of the tags, and so do the deliveries that a requeue takes back; generated tags have no order.
fn lets_chance_name_two_consumers(world: &World, channel: ChannelId, action: &Action) -> bool {
    let Action::Call(Method::BasicConsume(consume)) = action else { return false };
    let state = world.shadow.channel(channel);
    let unsettled = state.unacked.iter().filter_map(|unacked| unacked.consumer.as_ref());
    let mut known = state.consumers.keys().chain(unsettled);
    consume.consumer_tag.is_empty() && known.any(|tag| tag.starts_with("$c"))
}

/// R14, R93, R160, R172, R177: of calls that are sent together only those on one channel have an order, which counts of queues and dead letters do
/// not follow; of those on several channels only the same outcome in either order can be compared.
fn matters_who_is_first(world: &World, channel: ChannelId, calls: &[(ChannelId, Method)]) -> bool {
    let publishes = |method: &Method| matches!(method, Method::BasicPublish { .. });
    let quorum = has_quorum_queue(world);
    let counts = |method: &Method| match method {
        Method::QueueDeclare(_) => true,
        Method::QueuePurge { .. } | Method::BasicGet { .. } => quorum,
        _ => false,
    };
    let first = calls.iter().position(|(_, method)| publishes(method));
    let counts_after = first.is_some_and(|first| calls[first..].iter().any(|(_, method)| counts(method)));
    let alone = calls.iter().all(|(other, _)| *other == channel);
    let confirms = alone && first.is_some() && world.mode(channel) == Mode::Confirm;
    confirms
        || counts_after
        || (first.is_some() && world.shadow.dead_letters)
        || (!alone && !world.commute(calls))
}

/// R141: 3.10 crashes when a quorum queue delivers to a tag under which earlier messages are unsettled.
fn takes_up_a_tag(world: &World, channel: ChannelId, action: &Action) -> bool {
    let Action::Call(Method::BasicConsume(consume)) = action else { return false };
    let state = world.shadow.channel(channel);
    let queue = world.shadow.queue(channel, &consume.queue);
    world.version < RabbitMq::V4_0
        && is_quorum(world.shadow.queues.get(queue))
        && state.unacked.iter().any(|unacked| {
            unacked.queue == *queue && unacked.consumer.as_ref() == Some(&consume.consumer_tag)
        })
}

/// R138: while an active consumer of 4.0 settles what it has for one with a higher priority, a return of it, or its end, leaves the queue
/// without an active consumer, or with one that is dead.
fn takes_over_what_is_busy(world: &World, channel: ChannelId, action: &Action) -> bool {
    let Action::Call(Method::BasicConsume(consume)) = action else { return false };
    let queue = world.shadow.queue(channel, &consume.queue);
    let arguments = world.shadow.queues.get(queue);
    let mut others = world.shadow.channels.values().flat_map(|channel| channel.consumers.values());
    world.version >= RabbitMq::V4_0
        && is_quorum(arguments)
        && arguments.is_some_and(|arguments| arguments.contains("x-single-active-consumer"))
        && others.any(|other| other.queue == *queue && other.priority < priority(&consume.arguments))
        && world.broker.snapshot().queue(queue).is_some_and(|queue| queue.unacked > 0)
}

/// R1: 4.0 answers with 541, after a crash, where a text is too long for its frame because it is not ASCII.
fn crashes_on_its_text(world: &World, action: &Action) -> bool {
    let Action::Call(Method::BasicGet { queue, .. }) = action else { return false };
    world.version >= RabbitMq::V4_0 && queue.len() > 200 && !queue.is_ascii()
}

/// A binding between two exchanges that cannot be deleted would affect the next program.
fn outlives_the_program(action: &Action) -> bool {
    let Action::Call(Method::ExchangeBind(bind)) = action else { return false };
    bind.source.starts_with("amq.") && bind.destination.starts_with("amq.")
}

/// What RabbitMQ answers with 541 (an internal error) after a crash: an unknown queue type when it generates the name.
fn breaks_rabbitmq(action: &Action) -> bool {
    let Action::Call(Method::QueueDeclare(declare)) = action else { return false };
    let kind = declare.arguments.get("x-queue-type");
    declare.queue.is_empty() && kind.is_some_and(|kind| !matches!(kind.as_str(), Some("classic" | "quorum")))
}

/// R173: the channels of a connection end concurrently.
fn ends_two_channels_at_once(world: &World, channel: ChannelId, action: &Action) -> bool {
    let [one, two] = [1, CHANNELS].map(|number| world.shadow.channel(channel.connection.channel(number)));
    let both = one.queues().any(|queue| two.queues().any(|other| other == queue))
        || (world.shadow.dead_letters && one.queues().next().is_some() && two.queues().next().is_some());
    both && match action {
        Action::CloseConnection | Action::Abort => true,
        Action::Wait(_) | Action::Together(_) | Action::Operate(_) => false,
        Action::Call(_) => world.after(channel, action).1.as_slice().iter().any(ends_connection),
    }
}

fn ends_connection(effect: &Effect) -> bool {
    matches!(effect, Effect::ConnectionClosed { .. })
}
