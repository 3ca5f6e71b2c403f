//! The reported outcome of a publish is the real one, at full pipeline depth.

use std::collections::BTreeMap;

use tavrida::field::Table;
use tavrida::transport::{
    BrokerError, Exchange, ExchangeKind, Publication, PublishError, PublishErrorKind, Scope,
};

use crate::support::{
    Place, declare, declare_limited, drain, name, poll_once, publish_all, soon, to_exchange, to_queue,
};

fn outcome(result: &Result<(), PublishError>) -> &'static str {
    match result {
        Ok(()) => "routed",
        Err(unpublished) => match unpublished.reason {
            PublishErrorKind::Unroutable => "unroutable",
            PublishErrorKind::Nacked => "nacked",
            PublishErrorKind::Refused(_) => "refused",
            PublishErrorKind::Ambiguous(_) => "ambiguous",
            PublishErrorKind::NotSent(_) => "not sent",
        },
    }
}

fn tally(results: &[Result<(), PublishError>]) -> BTreeMap<&'static str, usize> {
    let mut tally = BTreeMap::new();
    for result in results {
        *tally.entry(outcome(result)).or_default() += 1;
    }
    tally
}

fn refusal(result: Result<(), PublishError>) -> BrokerError {
    match result.unwrap_err().reason {
        PublishErrorKind::Refused(refusal) => refusal,
        other => panic!("refused, not {other}"),
    }
}

#[tokio::test]
async fn a_message_for_a_queue_is_routed_and_one_for_none_comes_back_whole() {
    let Place { session, .. } = &Place::new().await;
    declare(session, "q").await;
    soon(session.publish(to_queue("q", "in"))).await.unwrap();

    let lost = to_queue("nobody", "out");
    let unpublished = soon(session.publish(lost.clone())).await.unwrap_err();

    assert_eq!(unpublished, PublishError::new(PublishErrorKind::Unroutable, lost));
    assert_eq!(drain(session, "q").await, ["in"]);
}

#[tokio::test]
async fn without_mandatory_a_message_that_nobody_hears_is_fine() {
    let Place { session, .. } = &Place::new().await;
    let unheard = Publication { mandatory: false, ..to_queue("nobody", "out") };
    assert_eq!(soon(session.publish(unheard)).await, Ok(()));
}

/// lapin attaches a return to whichever confirm resolves next: by its confirms alone, one in eight of these unroutable messages would count
/// as routed, and as many routed ones as unroutable.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_routed_and_unroutable_messages_are_told_apart_by_identity() {
    let Place { session, .. } = &Place::new().await;
    for queue in ["transient", "durable"] {
        let queue = tavrida::transport::Queue {
            durable: queue == "durable",
            ..tavrida::transport::Queue::transient(name(queue))
        };
        session.admin().declare_queue(&queue).await.unwrap();
    }
    let keys = ["transient", "nobody", "durable", "nobody"];
    let messages = (0..20_000_usize).map(|number| {
        let mut message = to_queue(keys[number * 7 % 13 % 4], number.to_string());
        message.properties.delivery_mode = Some(if number % 2 == 0 { 1 } else { 2 });
        message
    });
    let expected: Vec<_> = messages
        .clone()
        .map(|message| if message.routing_key == "nobody" { "unroutable" } else { "routed" })
        .collect();

    let results = publish_all(session, messages).await;

    let told: Vec<_> = results.iter().map(outcome).collect();
    let wrong = expected.iter().zip(&told).filter(|(expected, told)| expected != told).count();
    assert_eq!(wrong, 0, "of {}", told.len());
}

/// Two publishes that start concurrently on one lapin channel can swap their confirms: then a refused one counts as routed.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn refused_and_routed_messages_of_many_tasks_are_told_apart() {
    let Place { session, .. } = &Place::new().await;
    declare_limited(session, "full", 0).await;
    declare(session, "open").await;
    let tasks: Vec<_> = (0..40)
        .map(|task| {
            let session = session.clone();
            tokio::spawn(async move {
                let mut wrong = 0;
                for round in 0..500 {
                    let queue = if (task + round) % 2 == 0 { "full" } else { "open" };
                    let told = session.publish(to_queue(queue, format!("{task} {round}"))).await;
                    let expected = if queue == "full" { "nacked" } else { "routed" };
                    wrong += usize::from(outcome(&told) != expected);
                }
                wrong
            })
        })
        .collect();
    let wrong: usize =
        soon(futures_util::future::join_all(tasks)).await.into_iter().map(Result::unwrap).sum();
    assert_eq!(wrong, 0, "of 20,000");
    assert_eq!(session.admin().declare_queue_passive("open").await.unwrap().messages, 10_000);
    assert_eq!(session.admin().declare_queue_passive("full").await.unwrap().messages, 0);
}

#[tokio::test]
async fn a_missing_exchange_refuses_its_own_messages_and_costs_no_other() {
    let Place { session, .. } = &Place::new().await;
    declare(session, "q").await;
    let missing = |number: usize| number % 100 == 50;
    let messages = (0..1_000).map(|number| match missing(number) {
        true => to_exchange("missing", "q", number.to_string()),
        false => to_queue("q", number.to_string()),
    });

    let results = publish_all(session, messages).await;

    assert_eq!(tally(&results), BTreeMap::from([("refused", 10), ("routed", 990)]));
    assert!(results.iter().enumerate().all(|(number, result)| result.is_err() == missing(number)));
    let kept: Vec<_> =
        (0..1_000).filter(|number| !missing(*number)).map(|number| number.to_string()).collect();
    assert_eq!(drain(session, "q").await, kept, "each once, in the order of publishing");
}

#[tokio::test]
async fn each_refusal_has_the_brokers_code_and_text_and_leaves_the_session_alive() {
    let Place { session, .. } = &Place::new().await;
    let internal = Exchange { internal: true, ..Exchange::transient(name("inner"), ExchangeKind::Fanout) };
    session.admin().declare_exchange(&internal).await.unwrap();
    let mut posing = to_queue("q", "");
    posing.properties.user_id = Some(name("somebody"));
    let mut lasting = to_queue("q", "");
    lasting.properties.expiration = Some(name("soon"));

    for (message, code, text) in [
        (to_exchange("missing", "k", ""), 404, "NOT_FOUND - no exchange 'missing' in vhost"),
        (to_exchange("inner", "k", ""), 403, "ACCESS_REFUSED - cannot publish to internal exchange 'inner'"),
        (posing, 406, "PRECONDITION_FAILED - user_id property set to 'somebody'"),
        (lasting, 406, "PRECONDITION_FAILED - invalid expiration 'soon'"),
    ] {
        let refusal = refusal(soon(session.publish(message)).await);
        assert_eq!((refusal.code, refusal.scope), (code, Scope::Channel));
        assert!(refusal.text.starts_with(text), "{}", refusal.text);
    }
    declare(session, "q").await;
    assert_eq!(soon(session.publish(to_queue("q", "alive"))).await, Ok(()));
}

/// An exchange deleted under a stream of publishes closes their channel. The books must still balance.
#[tokio::test]
async fn an_exchange_deleted_amid_publishes_leaves_no_outcome_untrue() {
    let place = Place::new().await;
    let Place { session, .. } = &place;
    let other = place.another().await;
    declare(session, "q").await;
    let exchange = Exchange::transient(name("brief"), ExchangeKind::Fanout);
    session.admin().declare_exchange(&exchange).await.unwrap();
    session
        .admin()
        .bind(&tavrida::transport::Binding::queue(name("q"), name("brief"), name("")))
        .await
        .unwrap();

    let publishing = tokio::spawn({
        let session = session.clone();
        async move {
            let messages = (0..30_000).map(|number| to_exchange("brief", "", number.to_string()));
            publish_all(&session, messages).await
        }
    });
    while other.admin().declare_queue_passive("q").await.unwrap().messages < 3_000 {}
    other.admin().delete_exchange("brief", false).await.unwrap();
    let results = soon(publishing).await.unwrap();

    let tally = tally(&results);
    let routed = tally.get("routed").copied().unwrap_or_default();
    let ambiguous = tally.get("ambiguous").copied().unwrap_or_default();
    let kept = other.admin().declare_queue_passive("q").await.unwrap().messages as usize;
    assert!((routed..=routed + ambiguous).contains(&kept), "{kept} messages in the queue; {tally:?}");
    let dead = tally.get("not sent").copied().unwrap_or_default() > 0;
    assert!(dead || tally["refused"] > 0, "{tally:?}");
}

#[tokio::test]
async fn publishes_of_one_task_keep_their_order_over_exchanges_that_are_new() {
    let Place { session, .. } = &Place::new().await;
    declare(session, "q").await;
    for number in 0..10 {
        let exchange = format!("x{number}");
        session
            .admin()
            .declare_exchange(&Exchange::transient(name(exchange.as_str()), ExchangeKind::Fanout))
            .await
            .unwrap();
        session
            .admin()
            .bind(&tavrida::transport::Binding::queue(name("q"), name(exchange), name("")))
            .await
            .unwrap();
    }
    let messages =
        (0..500).map(|number| to_exchange(&format!("x{}", number * number % 10), "", number.to_string()));

    let results = publish_all(session, messages).await;

    assert!(results.iter().all(Result::is_ok));
    let order: Vec<_> = (0..500).map(|number| number.to_string()).collect();
    assert_eq!(drain(session, "q").await, order);
}

#[tokio::test]
async fn a_publish_that_was_polled_once_is_sent_though_its_future_is_dropped() {
    let Place { session, .. } = &Place::new().await;
    declare(session, "q").await;
    drop(session.publish(to_queue("q", "never polled")));
    let mut polled = session.publish(to_queue("q", "polled once"));
    assert!(poll_once(&mut polled).is_pending());
    drop(polled);
    soon(session.publish(to_queue("q", "awaited"))).await.unwrap();
    assert_eq!(drain(session, "q").await, ["polled once", "awaited"]);
}

/// Messages may be equal except for the routing key: nothing is added to a message to distinguish it.
#[tokio::test]
async fn equal_messages_share_their_outcomes_out_and_carry_nothing_extra() {
    let Place { session, .. } = &Place::new().await;
    declare(session, "q").await;
    let messages = (0..2_000).map(|number| to_queue(if number % 2 == 0 { "q" } else { "nobody" }, "same"));
    let results = publish_all(session, messages).await;
    assert!(results.iter().enumerate().all(|(number, result)| result.is_ok() == (number % 2 == 0)));
    let fetched = session.get("q").await.unwrap().unwrap();
    assert_eq!(*fetched.delivery.publication().properties.headers(), Table::new());
    assert_eq!(fetched.delivery.properties(), &tavrida::transport::Properties::default());
    fetched.delivery.ack().unwrap();
}

#[tokio::test]
async fn headers_that_no_frame_can_hold_are_refused_before_they_cost_the_session() {
    let Place { session, .. } = &Place::new().await;
    declare(session, "q").await;
    let mut message = to_queue("q", "");
    message.properties.headers = Some(Table::new().with(name("long"), "x".repeat(10_000)));
    let told = refusal(soon(session.publish(message)).await);
    assert_eq!(told.code, 501);
    assert!(told.text.contains("frame_max of the connection, 8192"), "{}", told.text);
    assert_eq!(soon(session.publish(to_queue("q", "alive"))).await, Ok(()));
}

/// The broker may answer before a publish has returned to its sender.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_is_told_however_fast_it_comes() {
    let Place { session, .. } = &Place::new().await;
    for number in 0..300 {
        let mut message = to_queue("q", "");
        message.properties.expiration = Some(name("soon"));
        assert_eq!(refusal(soon(session.publish(message)).await).code, 406, "{number}");
    }
}

/// Makes a queue that never confirms: its process is asleep.
async fn asleep(place: &Place, queue: &str) {
    declare(&place.session, queue).await;
    let suspend = format!(
        "{{ok, Q}} = rabbit_amqqueue:lookup(rabbit_misc:r(<<\"{}\">>, queue, <<\"{queue}\">>)), \
         sys:suspend(amqqueue:get_pid(Q))",
        place.vhost.name()
    );
    place.vhost.node().eval(&suspend).await.unwrap();
}

/// An ack that carries another message's return says nothing about its own. Which one it was is known when all older publishes are
/// confirmed, or with a later publish: here there is neither.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_others_are_decided_though_an_older_publish_is_never_confirmed() {
    let place = Place::new().await;
    let Place { session, .. } = &place;
    declare(session, "q").await;
    soon(session.publish(to_queue("q", "the exchange is proven"))).await.unwrap();
    asleep(&place, "never").await;
    let mut stuck = session.publish(to_queue("never", "no confirm comes"));
    assert!(poll_once(&mut stuck).is_pending());

    let keys = ["q", "nobody"];
    let messages = (0..1_000).map(|number| to_queue(keys[number % 2], number.to_string()));
    let results = publish_all(session, messages).await;

    assert!(results.iter().enumerate().all(|(number, result)| result.is_ok() == (number % 2 == 0)));
    assert_eq!(tally(&results), BTreeMap::from([("routed", 500), ("unroutable", 500)]));
    assert!(poll_once(&mut stuck).is_pending());
}

/// One pipeline with all outcomes: none affects another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn routed_unheard_unroutable_nacked_and_refused_are_counted_exactly_in_one_pipeline() {
    let Place { session, .. } = &Place::new().await;
    declare(session, "q").await;
    declare_limited(session, "full", 0).await;
    let told = |number: usize| match number % 8 {
        _ if number % 500 == 250 => "refused",
        5 => "unroutable",
        6 => "nacked",
        _ => "routed",
    };
    let messages = (0..10_000).map(|number| match (told(number), number % 8) {
        ("refused", _) => to_exchange("missing", "q", number.to_string()),
        ("unroutable", _) => to_queue("nobody", number.to_string()),
        ("nacked", _) => to_queue("full", number.to_string()),
        // It has no receiver and needs none.
        (_, 7) => Publication { mandatory: false, ..to_queue("nobody", number.to_string()) },
        _ => to_queue("q", number.to_string()),
    });

    let results = publish_all(session, messages).await;

    let wrong =
        results.iter().enumerate().filter(|(number, result)| outcome(result) != told(*number)).count();
    assert_eq!(wrong, 0, "of 10,000");
    let expected = (0..10_000).fold(BTreeMap::new(), |mut tally, number| {
        *tally.entry(told(number)).or_default() += 1;
        tally
    });
    assert_eq!(tally(&results), expected);
    let kept: Vec<_> = (0..10_000)
        .filter(|number| told(*number) == "routed" && number % 8 != 7)
        .map(|number| number.to_string())
        .collect();
    assert_eq!(session.admin().declare_queue_passive("q").await.unwrap().messages as usize, kept.len());
    assert_eq!(session.admin().declare_queue_passive("full").await.unwrap().messages, 0);
}
