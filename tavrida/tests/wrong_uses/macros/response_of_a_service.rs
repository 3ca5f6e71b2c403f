//! A service where a method is needed.
//!
//~ "world" is no address of a method: it has no dot; write `#[response("service.method")]`

use tavrida::prelude::*;

struct Hello;

#[tavrida::service("hello")]
impl Hello {
    #[response("world")]
    async fn world(&self, response: Response) {}
}
