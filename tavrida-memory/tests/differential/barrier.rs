//! [`Barrier`]: knowing that RabbitMQ's queues have done all that they were told, without waiting for silence.
//!
//! A queue works through what it is told one after the other. A call that changes nothing, made from within the node and
//! answered, proves that all before it was done. Dead letters go from queue to queue, so the call goes round several times.

use std::io;

use tavrida_testkit::rabbitmq::Node;

use crate::wire::LinkError;

/// How many queues a message may pass through in one step.
const ROUNDS: usize = 5;

/// The barrier of a virtual host.
pub(crate) struct Barrier<'n> {
    node: &'n Node,
    vhost: &'n str,
}

impl<'n> Barrier<'n> {
    pub(crate) fn new(node: &'n Node, vhost: &'n str) -> Self {
        Self { node, vhost }
    }

    /// Returns when all queues have done what they were told before, and when there are as many channels as expected, where
    /// that is asked: a channel that RabbitMQ closed gives its messages back when it ends (R4).
    pub(crate) async fn queues(&self, channels: Option<usize>) -> Result<(), LinkError> {
        let channels = channels.map_or("any".to_owned(), |count| count.to_string());
        let call = format!("(persistent_term:get(tavrida_barrier))({}, {channels})", binary(self.vhost));
        self.eval(&call).await
    }

    /// Defines the barrier in the node.
    pub(crate) async fn define(&self) -> Result<(), LinkError> {
        self.eval(&DEFINE.replace("ROUNDS", &ROUNDS.to_string())).await
    }

    /// Deletes all queues, and all exchanges but those that are always there.
    pub(crate) async fn clean(&self) -> Result<(), LinkError> {
        let vhost = binary(self.vhost);
        self.eval(&format!(
            "[catch rabbit_amqqueue:delete(Q, false, false, <<\"tavrida\">>) || Q <- rabbit_amqqueue:list({vhost})], \
             [catch rabbit_exchange:delete(element(2, X), false, <<\"tavrida\">>) || X <- rabbit_exchange:list({vhost}), \
              case element(4, element(2, X)) of <<\"amq.\", _/binary>> -> false; <<>> -> false; _ -> true end]"
        ))
        .await
    }

    async fn eval(&self, expression: &str) -> Result<(), LinkError> {
        self.node.eval(expression).await.map(drop).map_err(|error| io::Error::other(format!("{error:?}")))
    }
}

/// Defines the barrier in the node, once.
const DEFINE: &str = r#"
case persistent_term:get(tavrida_barrier, none) of
    none -> persistent_term:put(tavrida_barrier, fun(VHost, Channels) ->
        Wait = fun
            Again(_) when Channels =:= any -> ok;
            Again(0) -> ok;
            Again(Left) ->
                Open = [C || C <- rabbit_channel:list_local(),
                    (catch rabbit_channel:info(C, [vhost])) =:= [{vhost, VHost}]],
                case length(Open) of
                    Channels -> timer:sleep(1);
                    _ -> timer:sleep(1), Again(Left - 1)
                end
        end,
        Wait(1000),
        Round = fun() ->
            [case amqqueue:get_type(Q) of
                rabbit_classic_queue ->
                    catch gen_server2:call(amqqueue:get_pid(Q), {notify_down, self()}, 5000);
                _ ->
                    catch ra:process_command(amqqueue:get_pid(Q), rabbit_fifo:make_garbage_collection(), 5000)
            end || Q <- rabbit_amqqueue:list(VHost)]
        end,
        [Round() || _ <- lists:seq(1, ROUNDS)],
        ok
    end);
    _ -> ok
end
"#;

fn binary(text: &str) -> String {
    format!("<<\"{text}\">>")
}
