//! Stand-ins for services.

use tavrida::contract::CallError;
use tavrida::message::Failure;
use tavrida_testkit::graph::Stub;
use tavrida_testkit::sim::{Setup, Sim, Verdict};
use tavrida_testkit::trace::ActorKind;

use crate::shop::{self, Charge, Create, Declined, Placed, Receipt, orders, passes};

fn billing() -> Stub {
    Stub::of::<Charge>(|charge| Receipt { number: charge.order + 1 })
}

#[test]
fn a_stub_replies_in_types_and_counts() {
    passes(async |sim: Sim| {
        let (billing, audit) = (billing(), Stub::hearing::<Placed>("audit"));
        let graph = sim.graph().service(orders).stub(&billing).stub(&audit).client("web").start().await;
        let created = graph.client("web").ask(Create { id: 7, cents: 5 }).await?;
        assert_eq!(created.receipt, 8);
        let run = graph.settle().await;
        assert_eq!((billing.times(), audit.times()), (1, 1));
        run.handled::<Charge>().assert_count(1).assert_all(|charge| charge.cents == 5);
        run.heard::<Placed>().by("audit").assert_count(1);
        let stubs = run.trace().actors().iter().filter(|actor| actor.kind() == ActorKind::Stub);
        assert_eq!(stubs.count(), 2);
        Ok(())
    });
}

#[test]
fn a_stub_fails_on_demand_and_then_works_again() {
    passes(async |sim: Sim| {
        let billing = billing().failing_with::<Charge>(1, &Declined { limit: 3 });
        let graph = sim.graph().service(orders).stub(&billing).client("web").start().await;
        let web = graph.client("web");
        let create = || Create { id: 7, cents: 5 };
        web.ask(create()).await.expect_err("declined");
        web.ask(create()).await?;
        billing.fail(1, Failure::new("billing.Down", "not now"));
        web.ask(create()).await.expect_err("down");
        let run = graph.settle().await;
        assert_eq!(billing.times(), 3);
        let refused = run.refused::<Charge>().assert_count(2).values();
        assert_eq!(refused[0], CallError::Declared(Declined { limit: 3 }));
        assert!(matches!(&refused[1], CallError::Other(failure) if failure.class() == "billing.Down"));
        Ok(())
    });
}

#[test]
fn a_stub_answers_with_the_contracts_error_where_it_decides_so() {
    passes(async |sim: Sim| {
        let billing = Stub::trying::<Charge>(|charge| match charge.cents {
            0..10 => Ok(Receipt { number: 1 }),
            _ => Err(Declined { limit: 10 }),
        });
        let graph = sim.graph().stub(billing).client("web").start().await;
        let web = graph.client("web");
        web.ask(Charge { order: 1, cents: 5 }).await?;
        let error = web.ask(Charge { order: 1, cents: 50 }).await.expect_err("too much");
        assert_eq!(error.declared(), Some(&Declined { limit: 10 }));
        Ok(())
    });
}

#[test]
fn two_of_one_name_are_refused() {
    let finished =
        Setup::new(1).run(async |sim: Sim| drop(sim.graph().service(shop::billing).stub(billing())));
    let Verdict::Failed(problem) = finished.verdict else { panic!("there are two") };
    let expected = "the stub 'billing' cannot join the graph: it has a server of this name";
    assert!(problem.text.starts_with(expected), "{problem}");
}
