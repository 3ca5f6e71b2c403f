//! Mistakes with tasks that outlive their handler: they end with the process, and what they do comes late.

use std::sync::Arc;
use std::time::Duration;

use tavrida::handler::State;
use tavrida::message::Failure;
use tavrida::{Proxy, Service};
use tavrida_testkit::exhaustive::{Ending, exhaustive};
use tavrida_testkit::explore;
use tavrida_testkit::fault::{At, Fault, Faults, Site};
use tavrida_testkit::problem::ProblemKind;
use tavrida_testkit::run::Run;
use tavrida_testkit::sim::{Setup, Sim, Verdict};

use crate::book::{Book, order};
use crate::every_await::is_found;
use crate::service;

const TEN_MINUTES: Duration = Duration::from_secs(600);

/// A seat is held for a buyer, and released by a task of the process; mended, also where the process has died meanwhile.
async fn held_for_ever(sim: Sim, mended: bool) -> Result<(), Failure> {
    async fn hold(State(book): State<Book>, id: String) {
        book.enter_once(&id, "held", 1);
        tavrida::task::spawn(release(book, id));
    }
    async fn release(book: Arc<Book>, id: String) {
        tokio::time::sleep(TEN_MINUTES).await;
        book.enter_once(&id, "released", 1);
    }
    let book = Book::new(mended);
    let seats = {
        let make = service!(book, "seats", "hold" => ["id"] hold);
        let book = book.clone();
        move || {
            // What a mended process reads in its database when it starts.
            if book.mended && book.sum("held") > 0 {
                tavrida::task::spawn(release(book.clone(), "a".to_owned()));
            }
            make()
        }
    };
    let graph = sim.graph().service(seats).client("web").start().await;
    order(graph.client("web"), "seats.hold", "a").await?;
    graph.settle().await;
    sim.advance(2 * TEN_MINUTES).await;
    assert_eq!(book.sum("released"), book.sum("held"), "no seat is held for ever");
    Ok(())
}

#[test]
fn a_task_ends_with_its_process() {
    is_found(|sim| held_for_ever(sim, false), &Faults::at_least_once(), 1);
    let mended = explore(|sim| held_for_ever(sim, true)).schedules(1000).faults(Faults::at_least_once());
    mended.without_environment().run().assert_ok();
}

#[test]
fn every_crash_that_ends_a_task_is_tried() {
    let crash = Fault::Crash(Duration::from_millis(1));
    let report = exhaustive(|sim| held_for_ever(sim, false)).fault(Site::Done, crash).run();
    assert_eq!(report.failures.first().map(|failure| &failure.problem.kind), Some(&ProblemKind::Assertion));
    let report = exhaustive(|sim| held_for_ever(sim, true)).fault(Site::Done, crash).run();
    assert_eq!(report.ending, Ending::Complete, "{report}");
    report.assert_ok();
}

/// How a handler starts a task.
type Start = fn(std::pin::Pin<Box<dyn Future<Output = ()> + Send>>);

/// Answers at once, and reminds after ten minutes.
fn reminders(start: Start) -> impl Fn() -> Service + Send + Sync {
    move || {
        let remind = move |proxy: Proxy| async move {
            start(Box::pin(async move {
                tokio::time::sleep(TEN_MINUTES).await;
                let sent = proxy.to("mail.send").cast().await;
                assert!(sent.is_ok(), "mail is there: {sent:?}");
            }));
        };
        Service::new("reminders").rpc("remind", remind)
    }
}

/// Has no mail to be sent in all runs: true only of runs that do not wait for the reminder.
async fn no_mail(sim: Sim, start: Start) -> Result<Run, Failure> {
    let mail = || Service::new("mail").rpc("send", async || ());
    let graph = sim.graph().service(reminders(start)).service(mail).client("web").start().await;
    graph.client("web").to("reminders.remind").ask().await?;
    Ok(graph.settle().await)
}

fn seen(task: std::pin::Pin<Box<dyn Future<Output = ()> + Send>>) {
    drop(tavrida::task::spawn(task));
}

fn unseen(task: std::pin::Pin<Box<dyn Future<Output = ()> + Send>>) {
    drop(tokio::spawn(task));
}

#[test]
fn a_run_waits_for_a_task_that_sleeps() {
    let finished = Setup::new(1).run(async |sim: Sim| {
        let run = no_mail(sim, seen).await?;
        run.handlers().at("mail.send").assert_count(1);
        Ok::<(), Failure>(())
    });
    assert_eq!(finished.verdict, Verdict::Passed);
    assert_eq!(finished.trace.notes().count(), 0);
}

#[test]
fn a_task_that_never_ends_is_named() {
    let finished = Setup::new(1).run(async |sim: Sim| {
        let busy = || {
            let main = async || drop(tavrida::task::spawn(std::future::pending::<()>()));
            Service::new("busy").rpc("main", main)
        };
        let graph = sim.graph().service(busy).client("web").start().await;
        graph.client("web").to("busy.main").ask().await?;
        let unsettled = graph.settle_within(TEN_MINUTES).await.expect_err("the task is under way");
        assert!(unsettled.to_string().contains("a task that the handler of"), "{unsettled}");
        graph.crash("busy", Duration::from_millis(1));
        graph.settle_within(TEN_MINUTES).await.expect("the task ended with its process");
        Ok::<(), Failure>(())
    });
    assert_eq!(finished.verdict, Verdict::Passed);
}

#[test]
fn a_task_of_tokios_that_a_run_does_not_wait_for_is_named_in_its_report() {
    let scenario = async |sim: Sim| no_mail(sim, unseen).await.map(drop);
    let report = explore(scenario).schedules(8).without_environment().run();
    report.assert_ok();
    let [note] = report.notes() else { panic!("one note: {:?}", report.notes()) };
    assert!(note.contains("in 8 of 8 schedules, a task of tokio::spawn, made by the handler of"), "{note}");
    assert!(note.contains("was not waited for"), "{note}");
    let report = exhaustive(scenario).run();
    assert!(report.is_ok() && report.to_string().contains("was not waited for"), "{report}");
}

#[test]
fn a_task_of_tokios_that_outlives_its_process_is_named() {
    let finished = Setup::new(1).run(async |sim: Sim| {
        sim.fault(At::after_ack("reminders.remind"), Fault::Crash(Duration::from_millis(1)));
        no_mail(sim, unseen).await.map(drop)
    });
    let notes: Vec<&str> = finished.trace.notes().collect();
    assert!(notes.iter().any(|note| note.contains("goes on although its process was killed")), "{notes:?}");
}

#[test]
fn a_task_of_tokios_that_its_handler_waits_for_is_no_matter() {
    let finished = Setup::new(1).run(async |sim: Sim| {
        let patient = || {
            let main = async || {
                let mut tasks = tokio::task::JoinSet::new();
                tasks.spawn(tokio::time::sleep(TEN_MINUTES / 10));
                tokio::spawn(tokio::time::sleep(TEN_MINUTES / 10)).await.expect("it does not panic");
                tasks.join_all().await;
            };
            Service::new("patient").rpc("main", main)
        };
        let graph = sim.graph().service(patient).client("web").start().await;
        graph.client("web").to("patient.main").cast().await?;
        graph.settle().await;
        Ok::<(), Failure>(())
    });
    assert_eq!((finished.verdict, finished.trace.notes().count()), (Verdict::Passed, 0));
}
