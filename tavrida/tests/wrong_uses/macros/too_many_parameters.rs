//! More parameters than a handler can have.
//!
//~ a handler has at most 8 parameters from the payload: take them as one, `Json(all): Json<All>`
//~ a handler has at most 5 extractors here: bundle some in an extractor of your own

use tavrida::prelude::*;

struct Hello;

#[tavrida::service("hello")]
impl Hello {
    #[rpc]
    async fn hello(&self, a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8, i: u8) {}

    #[rpc]
    async fn world(
        &self,
        a: Request,
        b: Proxy,
        c: Context,
        d: Headers,
        e: Attempt,
        f: Deadline,
        g: u8,
    ) {
    }
}
