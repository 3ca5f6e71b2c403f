//! World: answers requests, and hears what hello publishes.

use example_support::Story;
use tavrida::prelude::*;

/// What world answers.
#[derive(serde::Serialize)]
struct Greeting {
    param: &'static str,
}

async fn world(story: State<Story>, request: Request, param: i64) -> Result<Greeting> {
    story.tell(format!("{request}: request to world, param = {param}, context {}", request.context()));
    if param < 0 {
        return Err(Failure::new("world.Negative", format!("{param} is below zero")).code(4000));
    }
    Ok(Greeting { param: "world response" })
}

async fn hello_subscription(story: State<Story>, notification: Notification, param: String) {
    story.tell(format!("{notification}: notification from hello, param = {param:?}"));
}

pub(crate) fn service(story: Story) -> Service {
    let registry = Registry::new()
        .remote_service("test_hello", "test_exchange")
        .remote_publisher("test_hello", "test_notification_exchange");
    Service::new("test_world")
        .state(story)
        .rpc("world", params(["param"], world))
        .on_notification("test_hello.hello", params(["param"], hello_subscription))
        .discovery(registry)
}
