//! The fields of a contract as arguments, and a default of the whole.
//!
//~ a handler of a contract has one argument that is no extractor, the `Say`: its parts are fields there; mark an extractor of your own with `#[extract]`
//~ this is the reply of `Say`, never missing: write `#[serde(default)]` on its fields instead

use tavrida::prelude::*;

struct Hello;

#[tavrida::service("hello")]
impl Hello {
    #[rpc(Say)]
    async fn hello(&self, what: String, loud: bool) {}

    #[response(Say)]
    async fn said(&self, #[default] said: ()) {}
}

#[derive(serde::Serialize, serde::Deserialize, tavrida::Rpc)]
#[rpc("hello.say")]
struct Say {
    what: String,
    loud: bool,
}
