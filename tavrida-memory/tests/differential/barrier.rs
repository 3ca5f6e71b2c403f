//! [`Barrier`]: detects that RabbitMQ's queues have processed everything, without waiting for silence.
//!
//! A queue processes its messages one after the other. The answer to a call that changes nothing, made inside the node, proves that
//! everything before it is processed. Dead letters go from queue to queue, so the call is repeated several times.

use std::io;

use tavrida_memory::core::{ApplyTo, Definition, NamePattern, Operator};
use tavrida_rabbitmq::Node;
use tokio::sync::OnceCell;

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

    /// Returns when all queues have processed what they received before, and, if requested, when there are as many channels as expected: a
    /// channel that RabbitMQ closed requeues its messages when it ends (R4).
    pub(crate) async fn queues(&self, channels: Option<usize>) -> Result<(), LinkError> {
        let channels = channels.map_or("any".to_owned(), |count| count.to_string());
        self.eval(&format!("tavrida_barrier:pass({}, {channels})", binary(self.vhost))).await
    }

    /// Defines the barrier in the node, once in this process: a node ends what runs in a module when it loads the module again.
    pub(crate) async fn define(&self) {
        static DEFINED: OnceCell<()> = OnceCell::const_new();
        let define = async || {
            let code = compile(&MODULE.replace("ROUNDS", &ROUNDS.to_string()));
            self.eval(&code).await.expect("a running node compiles a module");
            self.eval("tavrida_barrier:start()").await.expect("a running node makes a table");
        };
        DEFINED.get_or_init(define).await;
    }

    /// Sets a policy or clears one, raises an alarm or ends it.
    pub(crate) async fn operate(&self, operator: &Operator) -> Result<(), LinkError> {
        let vhost = binary(self.vhost);
        let user = binary("tavrida");
        match operator {
            Operator::SetPolicy(policy) => {
                let pattern = match &policy.pattern {
                    NamePattern::All => ".*".to_owned(),
                    NamePattern::Prefix(start) => format!("^{start}"),
                    NamePattern::Name(name) => format!("^{name}$"),
                };
                let apply_to = match policy.apply_to {
                    ApplyTo::All => "all",
                    ApplyTo::Queues => "queues",
                    ApplyTo::Exchanges => "exchanges",
                };
                self.eval(&format!(
                    "ok = rabbit_policy:set({vhost}, {}, {}, [{}], {}, {}, {user})",
                    binary(&policy.name),
                    binary(&pattern),
                    definition(&policy.definition).join(", "),
                    policy.priority,
                    binary(apply_to)
                ))
                .await
            }
            Operator::ClearPolicy { name } => {
                self.eval(&format!("rabbit_policy:delete({vhost}, {}, {user})", binary(name))).await
            }
            Operator::Block { .. } => self.eval(&format!("tavrida_barrier:alarm({vhost}, true)")).await,
            Operator::Unblock => self.eval(&format!("tavrida_barrier:alarm({vhost}, false)")).await,
            other => unreachable!("no program has {other:?}"),
        }
    }

    /// Deletes all policies, all queues, and all exchanges but the predeclared ones.
    pub(crate) async fn clean(&self) -> Result<(), LinkError> {
        self.eval(&format!("tavrida_barrier:clean({})", binary(self.vhost))).await
    }

    async fn eval(&self, expression: &str) -> Result<(), LinkError> {
        self.node.eval(expression).await.map(drop).map_err(|error| io::Error::other(format!("{error:?}")))
    }
}

/// The barrier as a module of the node.
const MODULE: &str = r#"
-module(tavrida_barrier).
-export([start/0, pass/2, clean/1, alarm/2]).

%% The table remembers the virtual host of each channel, so that a pass asks only the channels that are new.
start() ->
    Self = self(),
    spawn(fun() -> ets:new(tavrida_channels, [named_table, public]), Self ! made, receive never -> ok end end),
    receive made -> ok end.

pass(VHost, Channels) ->
    await(VHost, Channels, 1000),
    Queues = [{amqqueue:get_type(Q), amqqueue:get_pid(Q)} || Q <- rabbit_amqqueue:list(VHost)],
    lists:foreach(fun(_) -> lists:foreach(fun call/1, Queues) end, lists:seq(1, ROUNDS)).

call({rabbit_classic_queue, Pid}) ->
    catch gen_server2:call(Pid, {notify_down, self()}, 5000);
call({_, Pid}) ->
    catch ra:process_command(Pid, rabbit_fifo:make_garbage_collection(), 5000).

await(_, any, _) -> ok;
await(_, _, 0) -> ok;
await(VHost, Channels, Left) ->
    Open = [C || C <- rabbit_channel:list_local(), vhost(C) =:= VHost],
    case length(Open) of
        Channels -> ok;
        _ -> timer:sleep(1), await(VHost, Channels, Left - 1)
    end.

vhost(Channel) ->
    case ets:lookup(tavrida_channels, Channel) of
        [{_, VHost}] -> VHost;
        [] ->
            case catch rabbit_channel:info(Channel, [vhost]) of
                [{vhost, VHost}] -> ets:insert(tavrida_channels, {Channel, VHost}), VHost;
                _ -> ended
            end
    end.

clean(VHost) ->
    [catch rabbit_policy:delete(VHost, proplists:get_value(name, P), <<"tavrida">>) || P <- rabbit_policy:list(VHost)],
    [catch rabbit_amqqueue:delete(Q, false, false, <<"tavrida">>) || Q <- rabbit_amqqueue:list(VHost)],
    [catch rabbit_exchange:delete(element(2, X), false, <<"tavrida">>)
        || X <- rabbit_exchange:list(VHost), is_ours(element(4, element(2, X)))],
    ok.

%% As the node's alarm does, but for the connections of one virtual host. Each is asked something, to wait until it knows; one that an
%% earlier program left may end meanwhile.
alarm(VHost, Raised) ->
    Is = fun(Pid) -> (catch rabbit_reader:info(Pid, [vhost])) =:= [{vhost, VHost}] end,
    Pids = lists:filter(Is, rabbit_networking:connections()),
    [Pid ! {conserve_resources, memory, Raised} || Pid <- Pids],
    [Is(Pid) || Pid <- Pids],
    ok.

is_ours(<<"amq.", _/binary>>) -> false;
is_ours(<<>>) -> false;
is_ours(_) -> true.
"#;

/// Returns the keys and values of a policy as Erlang terms.
fn definition(definition: &Definition) -> Vec<String> {
    let Definition {
        alternate_exchange,
        dead_letter_exchange,
        dead_letter_routing_key,
        delivery_limit,
        expires,
        max_length,
        max_length_bytes,
        message_ttl,
        overflow,
    } = definition;
    let texts = [
        ("alternate-exchange", alternate_exchange),
        ("dead-letter-exchange", dead_letter_exchange),
        ("dead-letter-routing-key", dead_letter_routing_key),
        ("overflow", overflow),
    ];
    let numbers = [
        ("delivery-limit", delivery_limit.map(u64::from)),
        ("expires", *expires),
        ("max-length", *max_length),
        ("max-length-bytes", *max_length_bytes),
        ("message-ttl", *message_ttl),
    ];
    let texts = texts.into_iter().filter_map(|(key, text)| Some((key, binary(text.as_ref()?))));
    let numbers = numbers.into_iter().filter_map(|(key, number)| Some((key, number?.to_string())));
    texts.chain(numbers).map(|(key, value)| format!("{{{}, {value}}}", binary(key))).collect()
}

/// Returns the code that compiles a module from its text.
fn compile(module: &str) -> String {
    format!(
        "{{ok, Tokens, _}} = erl_scan:string(binary_to_list({})), \
         Split = fun Again([], [], Forms) -> lists:reverse(Forms); \
                     Again([{{dot, _}} = Dot | Rest], Form, Forms) -> \
                         {{ok, Parsed}} = erl_parse:parse_form(lists:reverse([Dot | Form])), \
                         Again(Rest, [], [Parsed | Forms]); \
                     Again([Token | Rest], Form, Forms) -> Again(Rest, [Token | Form], Forms) end, \
         {{ok, Name, Code}} = compile:forms(Split(Tokens, [], [])), \
         {{module, Name}} = code:load_binary(Name, \"tavrida_barrier\", Code)",
        binary(module)
    )
}

/// Returns an Erlang binary of exactly these bytes.
fn binary(text: &str) -> String {
    let bytes: Vec<String> = text.bytes().map(|byte| byte.to_string()).collect();
    format!("<<{}>>", bytes.join(","))
}
