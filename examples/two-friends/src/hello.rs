//! Hello: takes a request from outside, tells the world, and calls it.

use example_support::Story;
use tavrida::prelude::*;

async fn hello(story: State<Story>, request: Request, proxy: Proxy, param: i64) -> Result<()> {
    story.tell(format!("{request}: request to hello, param = {param}, chain {}", request.correlation_id()));
    proxy.publish().param("param", format!("hello publication, param = {param}")).send().await?;
    proxy.to("test_world.world").param("param", param * 100 + 45).call().await?;
    Ok(())
}

async fn world_response(story: State<Story>, response: Response, param: String) {
    story.tell(format!(
        "{response}: response from world to hello, param = {param:?}, context {}",
        response.context()
    ));
}

async fn world_error(story: State<Story>, error: ErrorReply) {
    story.tell(format!("{error}: error from world to hello, context {}", error.context()));
}

pub(crate) fn service(story: Story) -> Service {
    let registry = Registry::new()
        .remote_service("test_world", "test_world_exchange")
        .local_publisher("test_hello", "test_notification_exchange");
    Service::new("test_hello")
        .state(story)
        .rpc("hello", params(["param"], hello))
        .on_response("test_world.world", params(["param"], world_response))
        .on_error("test_world.world", world_error)
        .discovery(registry)
}
