//! A program of tests that fail: see `tests/macros/pastes.rs`.

use tavrida_testkit::schedule::Policy;

mod scenarios {
    use std::sync::{Arc, Mutex};

    use tavrida::handler::params;
    use tavrida::message::Failure;
    use tavrida::{Proxy, Service};
    use tavrida_testkit::sim::Sim;

    fn relay(name: &'static str) -> Service {
        let work = move |proxy: Proxy| async move {
            proxy.to("book.note").param("name", name).cast().await?;
            Ok::<(), Failure>(())
        };
        Service::new(name).rpc("work", work)
    }

    pub async fn the_first_comes_first(sim: Sim) -> Result<(), Failure> {
        let came = Arc::new(Mutex::new(Vec::new()));
        let noted = came.clone();
        let book = move || {
            let noted = noted.clone();
            let note = move |name: String| {
                noted.lock().unwrap().push(name);
                async {}
            };
            Service::new("book").rpc("note", params(["name"], note))
        };
        let graph = sim.graph().service(|| relay("first")).service(|| relay("second")).service(book);
        let graph = graph.client("web").start().await;
        graph.client("web").to("first.work").cast().await?;
        graph.client("web").to("second.work").cast().await?;
        graph.settle().await;
        assert_eq!(*came.lock().unwrap(), ["first", "second"], "the second came first");
        Ok(())
    }
}

#[test]
fn explored() {
    tavrida_testkit::explore(scenarios::the_first_comes_first).policy(Policy::Random).run().assert_ok();
}

#[test]
fn explored_as_a_closure() {
    let report = tavrida_testkit::explore(|sim| scenarios::the_first_comes_first(sim)).policy(Policy::Random)
        // here
        .run();
    report.assert_ok();
}

#[test]
fn explored_in_every_order() {
    tavrida_testkit::exhaustive(scenarios::the_first_comes_first).run().assert_ok();
}

#[tavrida_testkit::test(policy = Policy::Random)]
async fn made_by_the_macro(sim: tavrida_testkit::sim::Sim) -> Result<(), tavrida::message::Failure> {
    scenarios::the_first_comes_first(sim).await
}
