//! Return values of handlers that answer no call.
//!
//~ nobody gets what a `#[subscribe]` handler returns: return `Result<()>`, or nothing; to answer a call of long ago, take a `Responder`

use tavrida::prelude::*;

struct Hello;

#[tavrida::service("hello")]
impl Hello {
    #[subscribe("chuck.kicked")]
    async fn kicked(&self) -> Result<Response> {
        todo!()
    }
}
