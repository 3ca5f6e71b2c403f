//! Replies that are not objects.
//!
//~ a reply is a JSON object, and `i64` is none: return a struct that is `Serialize`, or `serde_json::json!({ "name": value })` as a `serde_json::Value`
//~ a reply is a JSON object, and `Vec < u8 >` is none
//~ a reply is a JSON object, and `& str` is none

use tavrida::prelude::*;

struct Hello;

#[tavrida::service("hello")]
impl Hello {
    #[rpc]
    async fn hello(&self) -> i64 {
        7
    }

    #[rpc]
    async fn world(&self) -> Result<Vec<u8>> {
        todo!()
    }

    #[rpc]
    async fn sun(&self) -> &str {
        "shines"
    }
}
