//! The macros of [tavrida](https://docs.rs/tavrida), which re-exports them: use them from there.
//!
//! Each expands to what you would write with the library's builder; a wrong use is a compile error that says what to write.

mod address;
mod attribute;
mod contract;
mod path;
mod service;

use proc_macro::TokenStream;

/// Makes a service of an impl block: its marked methods are the handlers.
///
/// ```
/// use tavrida::prelude::*;
///
/// struct Hello;
///
/// #[tavrida::service("test_hello")]
/// impl Hello {
///     /// Answers `test_hello.hello`.
///     #[rpc]
///     async fn hello(&self, proxy: Proxy, param: i64, note: Option<String>) -> Result<()> {
///         proxy.to("test_world.world").param("param", param).call().await?; // `world` gets the answer
///         Ok(())
///     }
///
///     #[response("test_world.world")]
///     async fn world(&self, response: Response, param: String) { }
///
///     #[error("test_world.world")]
///     async fn world_failed(&self, error: ErrorReply) { }
///
///     #[subscribe("test_chuck.kicked")]
///     async fn kicked(&self, who: String) { }
/// }
///
/// let service: Service = Hello.into_service();
/// ```
///
/// The name is a text, or a constant. The macro generates a method `into_service(self) -> Service`, which does what this one does:
///
/// ```
/// # use tavrida::prelude::*;
/// # struct Hello;
/// # impl Hello {
/// #     async fn hello(&self, proxy: Proxy, param: i64, note: Option<String>) -> Result<()> { Ok(()) }
/// #     async fn world_failed(&self, error: ErrorReply) { }
/// # }
/// use tavrida::handler::{State, params};
///
/// impl Hello {
///     pub fn into_service(self) -> Service {
///         let service = Service::new("test_hello").state(self);
///         let service = service.rpc(
///             "hello",
///             params(
///                 ["param", "note"],
///                 |this: State<Self>, proxy: Proxy, param: i64, note: Option<String>| async move {
///                     Self::hello(&this, proxy, param, note).await
///                 },
///             ),
///         );
///         let service = service.on_error("test_world.world", |this: State<Self>, error: ErrorReply| async move {
///             Self::world_failed(&this, error).await
///         });
///         service
///     }
/// }
/// ```
///
/// # Handlers
///
/// | attribute | handles |
/// |---|---|
/// | `#[rpc]`, `#[rpc("method")]`, `#[rpc("service.method")]` | requests to the method; its name is the function's by default |
/// | `#[response("service.method")]` | responses to the calls that this service makes |
/// | `#[error("service.method")]` | errors of the calls that this service makes |
/// | `#[subscribe("publisher.event")]`, `#[subscribe("publisher.*")]` | notifications: one event, or each event of the publisher |
/// | `#[rpc(C)]`, `#[response(C)]`, `#[error(C)]`, `#[subscribe(E)]` | the same by a contract: a type with `#[derive(Rpc)]`, or `#[derive(Event)]` |
/// | `#[incoming]` | middleware: `async fn(&self, message: Message, next: Next) -> Result<message::Reply>` |
/// | `#[outgoing]`, `#[outgoing(request, notification)]` | middleware: `async fn(&self, message: Message) -> Result<Message>`, for replies, or for the kinds that are named |
///
/// A method may have several of them. Handlers are `async`, take `&self` or nothing, and run concurrently: put mutable state behind a lock.
///
/// # Arguments
///
/// An argument is an extractor if the last part of its type's path is the name of one (`Request`, `Response`, `ErrorReply`,
/// `Notification`, `Message`, `Proxy`, `Context`, `Headers`, `Json<T>`, `State<T>`, `Responder<C>`, `Attempt`, `Deadline`), or if it is
/// marked `#[extract]`. Any other argument comes from the payload, by its name (a leading `_` does not count) and with its type:
///
/// - `Option<T>` is `None` if the parameter is missing or `null`;
/// - `#[default] x: T` is `T::default()` in that case, and `#[default(10)] x: u32` is 10;
/// - `#[param("from")] sender: String` has another name in the payload.
///
/// A handler of a contract has at most one such argument, which comes from the contract: the request `C`, the reply, a `CallError<C>`,
/// the event.
///
/// # What it publishes
///
/// `#[service("billing", emits = [Charged, "noted"])]` declares the events of the service, by types with `#[derive(Event)]` and by names
/// (`"other.noted"` for one in the name of another service, `"*"` for any): the build of a server fails if it does not know where to publish
/// them.
///
/// # The crate's path
///
/// The generated code names the crate `::tavrida`. For another name: `#[service("test_hello", crate = other::path)]`.
#[proc_macro_attribute]
pub fn service(arguments: TokenStream, item: TokenStream) -> TokenStream {
    service::expand(arguments.into(), item.into()).into()
}

/// Implements `tavrida::Rpc`: the type is the request to a method.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use tavrida::Rpc;
///
/// #[derive(Serialize, Deserialize, Rpc)]
/// #[rpc("billing.charge", reply = Receipt, error = Declined, code = 4002)]
/// struct Charge { order: u64, cents: u64 }
///
/// #[derive(Serialize, Deserialize)]
/// struct Receipt { number: String }
///
/// #[derive(Debug, Serialize, Deserialize)]
/// struct Declined { left: u64 }
///
/// impl std::fmt::Display for Declined {
///     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
///         write!(f, "only {} left", self.left)
///     }
/// }
/// impl std::error::Error for Declined {}
///
/// assert_eq!(Charge::ENTRY_POINT, "billing.charge");
/// assert_eq!(Charge::error_class(), "billing.Declined");
/// ```
///
/// Everything but the entry point is optional: `reply` (the default is `()`), `error` (`NoError`), `class` (a text: the error's class on
/// the wire), `code` (the error's code on the wire, or a function of the error), `crate` (the path of tavrida).
#[proc_macro_derive(Rpc, attributes(rpc))]
pub fn derive_rpc(item: TokenStream) -> TokenStream {
    contract::derive_rpc(item.into()).into()
}

/// Implements `tavrida::Event`: the type is a notification of a topic.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use tavrida::Event;
///
/// #[derive(Serialize, Deserialize, Event)]
/// #[event("stock.low")]
/// struct Low { sku: String }
///
/// assert_eq!(Low::TOPIC, "stock.low");
/// ```
#[proc_macro_derive(Event, attributes(event))]
pub fn derive_event(item: TokenStream) -> TokenStream {
    contract::derive_event(item.into()).into()
}
