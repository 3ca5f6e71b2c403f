//! Hello: takes a request from outside, publishes an event, and calls world.

use example_support::Story;
use tavrida::prelude::*;

pub(crate) struct Hello(pub(crate) Story);

#[tavrida::service("test_hello", emits = ["hello"])]
impl Hello {
    #[rpc]
    async fn hello(&self, request: Request, proxy: Proxy, param: i64) -> Result<()> {
        let chain = request.correlation_id();
        self.0.tell(format!("{request}: request to hello, param = {param}, chain {chain}"));
        proxy.publish().param("param", format!("hello publication, param = {param}")).send().await?;
        proxy.to("test_world.world").param("param", param * 100 + 45).call().await?;
        Ok(())
    }

    #[response("test_world.world")]
    async fn world(&self, response: Response, param: String) {
        let context = response.context();
        self.0
            .tell(format!("{response}: response from world to hello, param = {param:?}, context {context}"));
    }

    #[error("test_world.world")]
    async fn world_failed(&self, error: ErrorReply) {
        self.0.tell(format!("{error}: error from world to hello, context {}", error.context()));
    }
}

impl Hello {
    pub(crate) fn service(self) -> Service {
        let registry = Registry::new()
            .remote_service("test_world", "test_world_exchange")
            .local_publisher("test_hello", "test_notification_exchange");
        self.into_service().discovery(registry)
    }
}
