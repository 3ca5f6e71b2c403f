//! The text of a run, and its digest.

use tavrida_testkit::sim::{Finished, Setup, Sim, Verdict};

use crate::shop::{Create, graph, one_order, passes};

/// A declined order: the request of `web`, with a header and a context, reaches `billing`, and its error comes back.
const DECLINED: &str = r#"tavrida-trace 1
   0.000 | orders       | connected
   0.000 | billing      | connected
   0.000 | audit        | connected
   0.000 | web          | connected
   0.000 | web          | published, routed      | request orders.create          | m1 c1 r1 | {"cents":5000,"id":7} in {"user":"ann"} with {"x-trace": "abc"}
   0.000 | orders       | delivered              | request orders.create          | m1 c1 r1
   0.000 | orders       | handler begins         | request orders.create          | m1 c1 r1
   0.000 | orders       | published, routed      | request billing.charge         | m2 c1 r2 < m1 | {"cents":5000,"order":7} in {"cents":5000,"id":7,"user":"ann"} with {"x-trace": "abc"}
   0.000 | billing      | delivered              | request billing.charge         | m2 c1 r2 < m1
   0.000 | billing      | handler begins         | request billing.charge         | m2 c1 r2 < m1
   0.000 | billing      | handler failed: billing.Declined (1000): more than 1000 | request billing.charge         | m2 c1 r2 < m1
   0.000 | billing      | published, routed      | error from billing.charge      | m3 c1 r2 < m2 | {"class":"billing.Declined","code":1000,"detail":{"limit":1000},"message":"more than 1000"} in {"cents":5000,"id":7,"order":7,"user":"ann"} with {"x-trace": "abc"}
   0.000 | billing      | acked                  | request billing.charge         | m2 c1 r2 < m1
   0.000 | orders       | delivered              | error from billing.charge      | m3 c1 r2 < m2
   0.000 | orders       | handler failed: billing.Declined (1000): more than 1000 | request orders.create          | m1 c1 r1
   0.000 | orders       | published, routed      | error from orders.create       | m4 c1 r1 < m1 | {"class":"billing.Declined","code":1000,"detail":{"limit":1000},"message":"more than 1000"} in {"cents":5000,"id":7,"user":"ann"} with {"x-trace": "abc"}
   0.000 | orders       | acked                  | request orders.create          | m1 c1 r1
   0.000 | web          | delivered              | error from orders.create       | m4 c1 r1 < m1
   0.000 | web          | disconnected: the session was closed on this side
"#;

#[test]
fn the_text_of_a_run_has_a_line_for_each_event() {
    let run = one_order(5000);
    assert_eq!(run.text(), DECLINED);
}

fn with_ids_of_its_own(id: &'static str) -> Finished {
    passes(async move |sim: Sim| {
        let graph = graph(&sim).await;
        sim.note(format!("the order {id} comes\nsoon"));
        graph.client("web").request(Create { id: 7, cents: 1 }).correlation_id(id).ask().await.map(drop)?;
        Ok(())
    })
}

#[test]
fn ids_leave_no_trace_in_the_text_not_even_inside_of_texts() {
    let one = with_ids_of_its_own("5b1c7f0e-0000-4000-8000-000000000001");
    let two = with_ids_of_its_own("an.id-of another/shape");
    assert_eq!(one.trace.text(), two.trace.text());
    assert_eq!(one.trace.digest(), two.trace.digest());
    assert!(one.trace.text().contains(r"note: the order c1 comes\nsoon"), "{}", one.trace.text());
}

#[test]
fn the_digest_tells_runs_apart_by_what_they_do_and_when() {
    let run = |wait: u64, cents: u64| {
        let finished = Setup::new(1).run(async move |sim: Sim| {
            let graph = graph(&sim).await;
            sim.advance(std::time::Duration::from_millis(wait)).await;
            let _ = graph.client("web").ask(Create { id: 7, cents }).await;
        });
        assert_eq!(finished.verdict, Verdict::Passed);
        finished.trace
    };
    let first = run(1, 1);
    assert_eq!(first.digest(), run(1, 1).digest());
    assert_eq!(first.first_difference(&run(1, 1)), None);
    let (ours, theirs) = first.first_difference(&run(1, 2)).expect("other cents");
    assert!(
        ours.contains(r#"{"cents":1,"id":7}"#) && theirs.contains(r#"{"cents":2,"id":7}"#),
        "{ours}\n{theirs}"
    );
    assert_ne!(first.digest(), run(1, 2).digest());
    let later = run(2, 1);
    assert_ne!(first.digest(), later.digest());
    assert_eq!(first.text_without_times(), later.text_without_times());
}
