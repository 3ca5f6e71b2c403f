//! World: answers requests, and subscribes to what hello publishes.

use example_support::Story;
use tavrida::prelude::*;

pub(crate) struct World(pub(crate) Story);

/// What world answers.
#[derive(serde::Serialize)]
pub(crate) struct Greeting {
    param: &'static str,
}

#[tavrida::service("test_world")]
impl World {
    #[rpc]
    async fn world(&self, request: Request, param: i64) -> Result<Greeting> {
        let context = request.context();
        self.0.tell(format!("{request}: request to world, param = {param}, context {context}"));
        if param < 0 {
            return Err(Failure::new("world.Negative", format!("{param} is below zero")).with_code(4000));
        }
        Ok(Greeting { param: "world response" })
    }

    #[subscribe("test_hello.hello")]
    async fn hello(&self, notification: Notification, param: String) {
        self.0.tell(format!("{notification}: notification from hello, param = {param:?}"));
    }
}

impl World {
    pub(crate) fn service(self) -> Service {
        let registry = Registry::new()
            .remote_service("test_hello", "test_exchange")
            .remote_publisher("test_hello", "test_notification_exchange");
        self.into_service().discovery(registry)
    }
}
