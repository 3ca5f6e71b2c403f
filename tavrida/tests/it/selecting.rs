//! `tavrida::select!`: like tokio's, unless a choice is set.

use std::cell::Cell;
use std::future::{pending, ready};
use std::rc::Rc;

use tavrida::select::choose_by;

/// Returns which of three ready branches is taken.
async fn of_three() -> u8 {
    tavrida::select! {
        () = ready(()) => 0,
        () = ready(()) => { 1 }
        () = ready(()) => 2,
    }
}

#[tokio::test]
async fn whoever_chooses_says_which_of_the_ready_branches_goes_on() {
    for first in 0..3 {
        let choosing = choose_by(move |branches| {
            assert_eq!(branches, 3);
            first
        });
        assert_eq!(usize::from(of_three().await), first);
        drop(choosing);
    }
}

#[tokio::test]
async fn a_branch_that_is_not_ready_is_passed_over() {
    let _choosing = choose_by(|_| 1);
    let went = tavrida::select! {
        () = ready(()) => "first",
        () = pending() => "second",
        Some(()) = ready(None) => "third",
    };
    assert_eq!(went, "first", "from the second on, round to the first");
}

#[tokio::test]
async fn conditions_patterns_and_else_are_those_of_tokio() {
    for first in [None, Some(0), Some(1)] {
        let _choosing = first.map(|first| choose_by(move |_| first));
        let value = String::from("moved");
        let (open, closed) = (Some(3), None::<u8>);
        let went = tavrida::select! {
            Some(number) = ready(open), if value.is_empty() => { format!("{number}") },
            Some(number) = ready(closed) => format!("{number} {value}"),
            else => value
        };
        assert_eq!(went, "moved");
    }
}

#[tokio::test]
async fn control_flow_leaves_the_loop_around_it() {
    let _choosing = choose_by(|branches| branches - 1);
    let mut rounds = 0;
    let reason: Result<&str, ()> = async {
        loop {
            tavrida::select! {
                () = ready(()), if rounds < 3 => rounds += 1,
                () = ready(()), if rounds == 3 => break Ok("done"),
                answer = async { Err::<(), ()>(()) }, if rounds > 3 => answer?,
            }
        }
    }
    .await;
    assert_eq!((reason, rounds), (Ok("done"), 3));
}

#[tokio::test]
async fn who_chose_before_chooses_again_afterwards() {
    let asked = Rc::new(Cell::new(0));
    let outer = {
        let asked = asked.clone();
        choose_by(move |_| {
            asked.set(asked.get() + 1);
            0
        })
    };
    let inner = choose_by(|_| 2);
    assert_eq!(of_three().await, 2);
    drop(inner);
    assert_eq!((of_three().await, asked.get()), (0, 1));
    drop(outer);
    of_three().await;
    assert_eq!(asked.get(), 1, "nobody chooses any more");
}

#[tokio::test]
async fn with_biased_nobody_is_asked() {
    let _choosing = choose_by(|_| panic!("there is nothing to choose"));
    let went = tavrida::select! {
        biased;
        () = ready(()) => 0,
        () = ready(()) => 1,
    };
    assert_eq!(went, 0);
}

#[tokio::test]
async fn where_nobody_chooses_each_branch_has_its_turn() {
    let mut went = [0; 3];
    for _ in 0..1000 {
        went[usize::from(of_three().await)] += 1;
    }
    // Each has a probability of one third: that one of them is never taken happens once in 10^176.
    assert!(went.iter().all(|times| *times > 0), "{went:?}");
}
