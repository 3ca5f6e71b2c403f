//! Addresses that answers are sent to, forged.

use tavrida::field::ShortString;
use tavrida::prelude::*;

use super::{Target, request};
use crate::fixture::{Notes, eventually};

/// RabbitMQ closes a connection that publishes to the first two (541). The others are not addresses of a broker either.
const FORGED: [&str; 6] = [
    "amq.rabbitmq.reply-to.AAAABBBB.CCCC",
    "amq.rabbitmq.reply-to.g2EB.AAAA",
    "amq.rabbitmq.reply-to.x",
    "amq.rabbitmq.reply-to.",
    "amq.rabbitmq.reply-to.g1h3AA.AAAA.BBBB",
    "amq.rabbitmq.reply-to",
];

#[tokio::test]
async fn a_request_with_a_forged_direct_reply_address_is_dead_lettered_and_costs_no_session() {
    let target = Target::start().await;
    target.still_answers(1).await;
    let before = target.connections().await;
    for address in &FORGED[..5] {
        let mut forged = request("work.echo", "{}");
        forged.properties.reply_to = Some(ShortString::try_from(*address).unwrap());
        target.session.publish(forged).await.unwrap();
    }
    target.ends_as_dead_letters(5).await;
    target.still_answers(20).await;
    assert_eq!(target.connections().await, before, "no connection was lost");
}

/// Well formed, and yet no process of the broker: its numbers are beyond Erlang's. RabbitMQ ends the connection that publishes
/// to it.
#[tokio::test]
async fn an_answer_that_ends_its_connection_ends_with_its_request() {
    let target = Target::that_notes().await;
    target.still_answers(1).await;
    let before = target.connections().await;
    for address in target.crafted_addresses().await {
        let mut forged = request("work.seen", "{}");
        forged.properties.reply_to = Some(ShortString::try_from(address).unwrap());
        target.session.publish(forged).await.unwrap();
    }
    eventually("all end", async || crate::support::count(&target.session, "work").await == 0).await;
    target.still_answers(20).await;
    let kept = target.connections().await;
    assert!(before.iter().all(|connection| kept.contains(connection)), "{before:?} {kept:?}");
    let seen = target.notes.all().len();
    assert!(seen <= 8, "each was handled a bounded number of times, and all together {seen} times");
}

/// Nothing but the reply is lost: the session goes on, and the broker would deliver a requeued request at once, for ever.
#[tokio::test]
async fn an_answer_for_which_no_connection_can_be_opened_ends_with_its_request() {
    let target = Target::that_notes().await;
    target.still_answers(1).await;
    let limit = format!(r#"{{"max-connections": {}}}"#, target.connections().await.len());
    let node = target.vhost.node();
    node.rabbitmqctl(["set_vhost_limits", "-p", target.vhost.name(), &limit]).await.unwrap();
    let mut forged = request("work.seen", "{}");
    let address = target.crafted_addresses().await.remove(0);
    forged.properties.reply_to = Some(ShortString::try_from(address).unwrap());
    target.session.publish(forged).await.unwrap();

    target.ends_as_dead_letters(1).await;
    assert_eq!(target.notes.all(), ["seen"]);
    target.still_answers(20).await;
}

impl Target {
    /// With a method that notes that it ran.
    async fn that_notes() -> Self {
        let seen = |notes: State<Notes>| async move { notes.add("seen") };
        Self::with(|service| service.rpc("seen", seen)).await
    }

    /// The connections of the virtual host, by the ports of their clients.
    async fn connections(&self) -> Vec<String> {
        let listing = ["-q", "list_connections", "peer_port", "vhost"];
        let listed = self.vhost.node().rabbitmqctl(listing).await.unwrap();
        let mut ports: Vec<String> = listed
            .lines()
            .filter_map(|line| line.split_once('\t'))
            .filter(|(_, vhost)| *vhost == self.vhost.name())
            .map(|(port, _)| port.to_owned())
            .collect();
        ports.sort();
        ports
    }

    /// Addresses in the broker's format, of the broker's node, with numbers that no process has.
    async fn crafted_addresses(&self) -> Vec<String> {
        let pids = [
            "<<131,88,Node/binary,16#ffffffff:32,16#ffffffff:32,Creation:32>>",
            "<<131,88,Node/binary,1:32,0:32,Creation:32>>",
            "<<131,88,Node/binary,1:32,0:32,(Creation+1):32>>",
            "<<131,103,Node/binary,16#ffffffff:32,16#ffffffff:32,255>>",
        ];
        let mut addresses = Vec::new();
        for pid in pids {
            let expression = format!(
                "<<131,Node/binary>> = term_to_binary(node()), Creation = erlang:system_info(creation), \
                 binary_to_list(base64:encode({pid}))."
            );
            let encoded = self.vhost.node().eval(&expression).await.unwrap();
            addresses.push(format!("amq.rabbitmq.reply-to.{}.AAAA", encoded.trim().trim_matches('"')));
        }
        addresses
    }
}
