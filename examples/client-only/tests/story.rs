//! The output of the example.

use std::sync::Arc;

use tavrida_memory::MemoryBroker;

#[tokio::test(start_paused = true)]
async fn each_send_says_what_became_of_it() {
    let lines = client_only::app(Arc::new(MemoryBroker::new().transport())).await.expect("it goes well");
    let script: Vec<_> = lines.iter().filter_map(|line| line.strip_prefix("script: ")).collect();
    assert_eq!(
        script,
        [
            "the cast was Routed",
            "1 + 2 = 3",
            "a hundred asks at once sum up to 10100",
            "calc.sum answered with the error calc.Overflow (4000): the sum is too large",
            "calc.nope answered with the error tavrida.exceptions.HandlerNotFound (1004): no handler for the request \
             calc.nope here",
            "the request script -> nobody.sum was not sent: unroutable: no queue is bound for it (312 NO_ROUTE)",
            "no discovery knows the service 'stranger'; known in this role: 'calc', 'nobody'",
        ]
    );
    assert!(lines.contains(&"calc: noted \"a cast has no answer\"".to_owned()));
}
