//! Addresses with too many parts, and with wildcards in wrong places.
//!
//~ "world.hello.world" is no address of a method: it has more than one dot
//~ "world.*" is no address of a method: a name is `*` or `#`, which bindings read as a wildcard
//~ "*.kicked" is no topic: a subscription names its publisher, whose exchange it is bound to
//~ "chuck.*.high" is no topic: it has more than one dot
//~ "chuck.kick*" is no topic: a wildcard is a whole word, as in "stock.*"

use tavrida::prelude::*;

struct Hello;

#[tavrida::service("hello")]
impl Hello {
    #[error("world.hello.world")]
    async fn world_failed(&self, error: ErrorReply) {}

    #[error("world.*")]
    async fn all_failed(&self, error: ErrorReply) {}

    #[subscribe("*.kicked")]
    async fn kicked(&self, notification: Notification) {}

    #[subscribe("chuck.*.high")]
    async fn kicked_high(&self, notification: Notification) {}

    #[subscribe("chuck.kick*")]
    async fn any_kick(&self, notification: Notification) {}
}
