//! The chain as threads and channels, in shuttle. It has no time.

use std::ops::Range;

use shuttle::sync::mpsc::{Sender, channel};
use shuttle::thread;

type Request = (i64, Sender<i64>);

/// A service: one thread for each request, which asks the next service if there is one.
fn service(next: Option<Sender<Request>>) -> Sender<Request> {
    let (to, requests) = channel::<Request>();
    thread::spawn(move || {
        while let Ok((cents, reply)) = requests.recv() {
            let Some(next) = next.clone() else {
                reply.send(cents + 1).expect("the asker waits");
                continue;
            };
            thread::spawn(move || {
                let (answer, answers) = channel();
                next.send((cents, answer)).expect("the service runs");
                reply.send(answers.recv().expect("an answer")).expect("the asker waits");
            });
        }
    });
    to
}

fn three_requests() {
    let orders = service(Some(service(Some(service(None)))));
    let answers: Vec<_> = (1..4)
        .map(|cents| {
            let (answer, answers) = channel();
            orders.send((cents, answer)).expect("the service runs");
            answers
        })
        .collect();
    for (answers, total) in answers.iter().zip(2..5) {
        assert_eq!(answers.recv().expect("an answer"), total);
    }
}

pub fn random(seeds: Range<u64>) -> f64 {
    let runs = usize::try_from(seeds.end - seeds.start).expect("few runs");
    shuttle::check_random(three_requests, runs);
    0.0
}
