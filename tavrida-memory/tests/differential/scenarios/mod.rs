//! The 25 concrete scenarios of the broker semantics (section 19), by their numbers, on both sides.

use crate::run::{Site, Watch};
use crate::text;

/// Runs a scenario on both sides. `left_out` steps meet bugs of RabbitMQ that are not copied.
async fn agree(name: &str, left_out: usize, program: &str) {
    let node = tavrida_rabbitmq::shared().await.expect("RabbitMQ is installed and starts");
    let site = Site::new(node, format!("scenario-{name}")).await;
    let program = text::parse(program);
    let operations = site.run(&program, Watch::EachStep).await.agreed();
    assert_eq!(operations + left_out, program.steps.len(), "steps that were done or left out");
}

macro_rules! scenario {
    ($name:ident, $program:literal) => {
        scenario!($name, leaving_out 0, $program);
    };
    ($name:ident, leaving_out $left_out:literal, $program:literal) => {
        #[tokio::test]
        async fn $name() {
            agree(stringify!($name), $left_out, $program).await;
        }
    };
}

mod messages;
mod routing;
