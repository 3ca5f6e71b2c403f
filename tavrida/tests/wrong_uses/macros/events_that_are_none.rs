//! A list of events that is none, and names that are no events.
//!
//~ list what the service publishes, types and names: `emits = [Charged, "noted"]`
//~ "a.b.c" is no topic: it has more than one dot
//~ "" is no event: a name is empty

use tavrida::prelude::*;

struct Hello;

#[tavrida::service("hello", emits = "greeted")]
impl Hello {
    #[rpc]
    async fn hello(&self) {}
}

struct World;

#[tavrida::service("world", emits = ["a.b.c"])]
impl World {
    #[rpc]
    async fn world(&self) {}
}

struct Chuck;

#[tavrida::service("chuck", emits = [""])]
impl Chuck {
    #[rpc]
    async fn chuck(&self) {}
}
