//! [`Service`]: handlers under one name. Pure: no async code here.
//!
//! ```
//! use tavrida::prelude::*;
//!
//! async fn hello(proxy: Proxy, param: i64) -> Result<()> {
//!     proxy.to("test_world.world").param("param", param).call().await?; // `world` gets the answer
//!     Ok(())
//! }
//! async fn world(response: Response, param: String) -> Result<()> {
//!     println!("{param}, {}", response.context());
//!     Ok(())
//! }
//! async fn world_failed(error: ErrorReply) {
//!     println!("{}", error.message());
//! }
//!
//! let service = Service::new("test_hello")
//!     .rpc("hello", params(["param"], hello))
//!     .on_response("test_world.world", params(["param"], world))
//!     .on_error("test_world.world", world_failed);
//! ```

mod builder;
mod dispatcher;
mod router;
mod typed;

pub use builder::Service;
pub(crate) use dispatcher::Dispatcher;
pub(crate) use router::{Hosted, Router, Target};
