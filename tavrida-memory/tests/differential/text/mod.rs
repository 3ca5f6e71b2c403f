//! Programs as text: one line for each step, so that a failing program can be pasted into a regression.
//!
//! ```text
//! modes confirm confirm plain tx
//! 1.1 queue.declare queue=q0 arguments={x-max-length=I:2}
//! 1.1 basic.publish routing_key=q0 mandatory body=m1 headers={a=S:"x"}
//! 1.2 basic.get queue=q0
//! 1.2 basic.nack @0 requeue
//! ```
//!
//! A line that begins with `+` is a call that is sent together with that of the line before. `@0` is the oldest unsettled delivery of the channel, a plain number is a delivery tag. Omitted fields are empty or false; omitted
//! properties of a message are absent.

mod methods;
mod policy;
mod read;
mod value;
mod write;

use std::fmt::Write;

use tavrida::transport::Publication;
use tavrida_memory::core::{ChannelId, ConnectionId};

pub(crate) use policy::alarm;

use crate::program::{Mode, Op, Program, Settle, Step, Tag, Verdict};
use read::Line;
use write::Words;

const MODES: [(Mode, &str); 3] =
    [(Mode::Confirm, "confirm"), (Mode::Plain, "plain"), (Mode::Transaction, "tx")];

const VERDICTS: [(Verdict, &str); 3] =
    [(Verdict::Ack, "basic.ack"), (Verdict::Nack, "basic.nack"), (Verdict::Reject, "basic.reject")];

/// Formats a channel, `1.2`.
pub(crate) fn channel(channel: ChannelId) -> String {
    format!("{}.{}", channel.connection.0, channel.number)
}

/// Formats a message, in the words of `basic.publish`.
pub(crate) fn publication(publication: &Publication) -> String {
    let mut words = Words::default();
    methods::write_publication(publication, &mut words);
    words.0
}

/// Formats a program.
pub(crate) fn print(program: &Program) -> String {
    let mut text = String::new();
    if program.modes != [Mode::Confirm; 4] {
        text.push_str("modes");
        for mode in program.modes {
            let name = MODES.iter().find(|(known, _)| *known == mode).map_or("", |(_, name)| name);
            let _ = write!(text, " {name}");
        }
        text.push('\n');
    }
    for step in &program.steps {
        let _ = writeln!(text, "{}", print_step(step));
    }
    text
}

/// Formats one step, without a line break.
pub(crate) fn print_step(step: &Step) -> String {
    if let Op::Together(calls) = &step.op {
        let lines = calls.iter().map(|(on, method)| {
            let mut words = Words(channel(*on));
            methods::write(method, &mut words);
            words.0
        });
        return lines.collect::<Vec<_>>().join("\n+ ");
    }
    let mut words = Words(channel(step.channel));
    match &step.op {
        Op::Together(_) => {}
        Op::Abort => words.word("connection.abort"),
        Op::Operate(operator) => policy::write(operator, &mut words),
        Op::Call(method) => methods::write(method, &mut words),
        Op::CloseConnection => words.word("connection.close"),
        Op::Wait(millis) => words.word(&format!("wait {millis}")),
        Op::Settle(Settle { verdict, tag, multiple, requeue }) => {
            words.word(VERDICTS.iter().find(|(known, _)| known == verdict).map_or("", |(_, name)| name));
            match tag {
                Tag::Nth(n) => words.word(&format!("@{n}")),
                Tag::Number(n) => words.word(&n.to_string()),
            }
            words.flag("multiple", *multiple);
            words.flag("requeue", *requeue);
        }
    }
    words.0
}

/// Parses a program.
///
/// # Panics
/// Panics if it is invalid; the message shows the line.
pub(crate) fn parse(text: &str) -> Program {
    let mut program = Program::default();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")) {
        let mut read = || -> Result<(), String> {
            if let Some(modes) = line.strip_prefix("modes ") {
                for (place, name) in modes.split_whitespace().enumerate() {
                    let mode = MODES.iter().find(|(_, known)| *known == name);
                    program.modes[place] = mode.ok_or_else(|| format!("{name:?} is no mode"))?.0;
                }
            } else if let Some(line) = line.strip_prefix("+ ") {
                join(program.steps.last_mut().ok_or("nothing to be together with")?, parse_step(line)?)?;
            } else {
                program.steps.push(parse_step(line)?);
            }
            Ok(())
        };
        read().unwrap_or_else(|error: String| panic!("{error}, in the line: {line}"));
    }
    program
}

/// Adds a call to those of a step.
fn join(step: &mut Step, next: Step) -> Result<(), String> {
    let Op::Call(more) = next.op else { return Err("only plain calls can be together".to_owned()) };
    match &mut step.op {
        Op::Together(calls) => calls.push((next.channel, more)),
        Op::Call(method) => {
            step.op = Op::Together(vec![(step.channel, method.clone()), (next.channel, more)]);
        }
        _ => return Err("only plain calls can be together".to_owned()),
    }
    Ok(())
}

fn parse_step(text: &str) -> Result<Step, String> {
    let mut line = Line::new(text);
    let place = line.word().ok_or("no channel")?;
    let (connection, number) = place.split_once('.').ok_or("a channel is CONNECTION.NUMBER")?;
    let connection = ConnectionId(connection.parse().map_err(|_| "the connection is no number")?);
    let channel = connection.channel(number.parse().map_err(|_| "the channel is no number")?);
    let name = line.word().ok_or("no method")?;
    let verdict = VERDICTS.iter().find(|(_, known)| *known == name).map(|(verdict, _)| *verdict);
    let op = if name == "connection.close" {
        Op::CloseConnection
    } else if name == "connection.abort" {
        Op::Abort
    } else if [policy::SET, policy::CLEAR, policy::RAISE, policy::END].contains(&name.as_str()) {
        let mut words = line.words()?;
        let operator = policy::read(&name, &mut words)?;
        words.done()?;
        Op::Operate(operator)
    } else if name == "wait" {
        let millis = line.word().and_then(|millis| millis.parse().ok());
        Op::Wait(millis.ok_or("no number of milliseconds")?)
    } else if let Some(verdict) = verdict {
        let tag = line.word().ok_or("no delivery tag")?;
        let number = |text: &str| text.parse().map_err(|_| format!("{text:?} is no delivery tag"));
        let tag = match tag.strip_prefix('@') {
            Some(n) => Tag::Nth(number(n)? as usize),
            None => Tag::Number(number(&tag)?),
        };
        let mut words = line.words()?;
        let settle =
            Settle { verdict, tag, multiple: words.flag("multiple"), requeue: words.flag("requeue") };
        words.done()?;
        Op::Settle(settle)
    } else {
        let mut words = line.words()?;
        let method = methods::read(&name, &mut words)?;
        words.done()?;
        Op::Call(method)
    };
    Ok(Step { channel, op })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_reads_as_it_prints() {
        let text = r#"modes confirm tx plain confirm
1.1 exchange.declare exchange=e0 type=topic auto_delete arguments={alternate-exchange=S:"e2"}
1.1 queue.declare queue=q0 durable arguments={x-max-length=I:2, x-overflow=S:"reject-publish"}
1.1 queue.bind queue=q0 exchange=e0 routing_key=a.# arguments={a=V, n=A[I:1, F{x=t:true}], d=D:2/10}
2.1 basic.qos prefetch_count=2 global
2.2 basic.consume queue=q0 consumer_tag=t1 no_ack arguments={x-priority=I:5}
1.2 basic.publish exchange=e0 routing_key="a b" mandatory body="m\"1" priority=3 expiration="" headers={"k 1"=l:-5, b=x:"\xff"}
1.1 basic.nack @1 multiple requeue
1.1 basic.ack 7
1.1 basic.get queue=q0
+ 1.1 queue.purge queue=q0
+ 2.1 basic.get queue=q0
2.1 connection.close
1.1 connection.abort
1.1 policy.set name=p0 prefix=q apply_to=queues priority=2 dead_letter_exchange="" max_length=3 overflow=drop-head
1.1 policy.clear name=p0
1.1 alarm.raise
1.1 alarm.clear
"#;
        let program = parse(text);
        assert_eq!(print(&program), text);
        assert_eq!(parse(&print(&program)), program);
    }
}
