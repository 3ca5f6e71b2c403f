//! Shrinks a program that diverges to the shortest one that still does.

use crate::divergence::Divergence;
use crate::program::{Op, Program};
use crate::run::{Site, Watch};
use tavrida_memory::core::Method;

/// How many programs are tried.
const ATTEMPTS: usize = 600;

/// Returns the shrunk program with its divergence.
pub(crate) async fn shrink(
    site: &Site<'_>,
    program: Program,
    divergence: Divergence,
) -> (Program, Divergence) {
    let mut smallest = (program, divergence);
    let mut attempts = 0;
    let mut size = smallest.0.steps.len() / 2;
    while size > 0 {
        let mut start = 0;
        let mut shorter = false;
        while start < smallest.0.steps.len() && attempts < ATTEMPTS {
            let mut candidate = smallest.0.clone();
            let end = (start + size).min(candidate.steps.len());
            candidate.steps.drain(start..end);
            attempts += 1;
            match site.run(&candidate, Watch::EachStep).await.divergence {
                Some(divergence) => {
                    smallest = (candidate, divergence);
                    shorter = true;
                }
                None => start += size,
            }
        }
        if !shorter || size > 1 {
            size /= 2;
        }
    }
    simplify(site, smallest).await
}

/// Removes from each step what the divergence does not need.
async fn simplify(site: &Site<'_>, mut smallest: (Program, Divergence)) -> (Program, Divergence) {
    for place in 0..smallest.0.steps.len() {
        for simpler in simpler(&smallest.0.steps[place].op) {
            let mut candidate = smallest.0.clone();
            candidate.steps[place].op = simpler;
            if let Some(divergence) = site.run(&candidate, Watch::EachStep).await.divergence {
                smallest = (candidate, divergence);
            }
        }
    }
    smallest
}

/// Returns simpler forms of an operation, the simplest last.
fn simpler(op: &Op) -> Vec<Op> {
    if let Op::Together(calls) = op {
        let without = |place: usize| {
            let mut fewer = calls.clone();
            fewer.remove(place);
            Op::Together(fewer)
        };
        return (0..calls.len()).filter(|_| calls.len() > 2).map(without).collect();
    }
    let Op::Call(method) = op else { return Vec::new() };
    let mut method = method.clone();
    let arguments = match &mut method {
        Method::QueueDeclare(declare) => &mut declare.arguments,
        Method::ExchangeDeclare(declare) => &mut declare.arguments,
        Method::BasicConsume(consume) => &mut consume.arguments,
        Method::BasicPublish { publication, .. } => {
            let message = std::sync::Arc::make_mut(publication);
            message.properties = Default::default();
            return vec![Op::Call(method)];
        }
        _ => return Vec::new(),
    };
    let names: Vec<_> = arguments.iter().map(|(name, _)| name.clone()).collect();
    let whole = arguments.clone();
    let mut simpler = Vec::new();
    for name in names {
        let mut fewer = whole.clone();
        fewer.remove(&name);
        let mut method = method.clone();
        match &mut method {
            Method::QueueDeclare(declare) => declare.arguments = fewer,
            Method::ExchangeDeclare(declare) => declare.arguments = fewer,
            Method::BasicConsume(consume) => consume.arguments = fewer,
            _ => {}
        }
        simpler.push(Op::Call(method));
    }
    simpler
}
