//! A reply without an object's shape, by the builder.
//!
//~ is no handler
//~ the return type must be (), a serialisable value, Response, ErrorReply, or an Option or Result of these; an error type must be IntoFailure

use tavrida::prelude::*;

struct Opaque;

async fn opaque() -> Opaque {
    Opaque
}

pub fn service() -> Service {
    Service::new("hello").rpc("opaque", opaque)
}
