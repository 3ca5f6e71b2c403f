//! Recording and determinism: a recorded program does the same again, in every broker.

use tavrida_memory::core::{Broker, Command, Config, Effect, Effects, Now, Operator};

use crate::rig::*;

/// A recorded program with all kinds of commands.
fn program() -> Vec<(Now, Command)> {
    let mut rig = Rig::new();
    rig.record();
    let ch = rig.client();
    rig.exchange_with(ch, "x", "headers", |x| x.durable = true);
    let mut arguments = args(&[("x-dead-letter-exchange", ""), ("x-dead-letter-routing-key", "dead")]);
    arguments.insert(short("x-message-ttl"), 50);
    rig.queue_with(ch, "q", arguments);
    rig.queue(ch, "dead");
    let named = rig.declare(ch, Default::default());
    rig.bind_with(ch, "q", "x", "", table(&[("a", 1.5.into()), ("x-match", "any".into())]));
    rig.bind_with(ch, &named, "x", "", table(&[("a", 1.5.into())]));
    rig.publish(ch, "x", "k", Message::from("m").headers(table(&[("a", 1.5.into())])).persistent());
    rig.consume(ch, "dead", "");
    rig.wait(100);
    rig.operate(Operator::Block { reason: "low on memory".to_owned() });
    rig.call(ch, publish("", "q", "held"));
    rig.operate(Operator::Unblock);
    rig.call(ch, get("nosuch"));
    rig.operate(Operator::Restart);
    rig.recorded()
}

fn run(program: &[(Now, Command)]) -> (Vec<Effect>, String) {
    let mut broker = Broker::new(Config::default());
    let mut effects = Effects::new();
    for (now, command) in program {
        broker.apply(*now, command.clone(), &mut effects);
    }
    (effects.into_iter().collect(), broker.snapshot().to_string())
}

#[test]
fn a_recorded_program_does_the_same_when_it_is_read_back() {
    let program = program();
    let written = serde_json::to_string_pretty(&program).expect("commands can be written");
    let read: Vec<(Now, Command)> = serde_json::from_str(&written).expect("and read");
    assert_eq!(read, program);
    let (effects, snapshot) = run(&program);
    assert_eq!(run(&read), (effects.clone(), snapshot));
    let written = serde_json::to_string(&effects).expect("effects can be written");
    assert_eq!(serde_json::from_str::<Vec<Effect>>(&written).expect("and read"), effects);
}

#[test]
fn a_clone_goes_its_own_way() {
    let (mut rig, ch) = Rig::with_channel();
    rig.queue(ch, "q");
    rig.consume(ch, "q", "t");
    let before = rig.broker.clone();
    rig.fill(ch, "q", ["m"]);
    assert_eq!(rig.arrived(ch), ["t:1:m"]);
    let mut other = std::mem::replace(&mut rig.broker, before);
    assert!(rig.arrived(ch).is_empty());
    rig.fill(ch, "q", ["n"]);
    assert_eq!(rig.arrived(ch), ["t:1:n"]);
    assert!(other.take(ch).is_none());
}
