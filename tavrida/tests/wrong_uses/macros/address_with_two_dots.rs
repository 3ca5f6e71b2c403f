//! An address with too many parts, and one with a wildcard.
//!
//~ "world.hello.world" is no address of a method: it has more than one dot
//~ "chuck.*" is no address of a method: a name is `*` or `#`, which bindings read as a wildcard

use tavrida::prelude::*;

struct Hello;

#[tavrida::service("hello")]
impl Hello {
    #[error("world.hello.world")]
    async fn world_failed(&self, error: ErrorReply) {}

    #[subscribe("chuck.*")]
    async fn kicked(&self, notification: Notification) {}
}
