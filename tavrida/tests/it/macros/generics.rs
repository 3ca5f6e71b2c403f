//! Generic services, conditions, another name of the crate.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tavrida::prelude::*;

use crate::fixture::Fixture;

trait Store: Send + Sync + 'static {
    fn get(&self, key: &str) -> Option<String>;
}

struct Fixed(&'static str);

impl Store for Fixed {
    fn get(&self, _key: &str) -> Option<String> {
        Some(self.0.to_owned())
    }
}

struct Shelf<S, const N: usize> {
    store: S,
}

#[tavrida::service("shelf")]
impl<S, const N: usize> Shelf<S, N>
where
    S: Store,
{
    #[rpc]
    async fn get(&self, key: String) -> Value {
        json!({ "value": self.store.get(&key), "size": N })
    }

    #[cfg(any())]
    #[rpc]
    async fn never(&self, nothing: ThereIsNoSuchType) {}

    #[cfg(not(any()))]
    #[rpc]
    async fn always(&self) -> Value {
        self.helper()
    }

    fn helper(&self) -> Value {
        json!({ "helped": true })
    }
}

#[tokio::test(start_paused = true)]
async fn a_generic_service_is_a_service_for_each_type() {
    let fixture = Fixture::new();
    let _server = fixture.host(Shelf::<_, 3> { store: Fixed("here") }.into_service()).await;
    let client = fixture.client(&["shelf"]).await;
    let answer = client.to("shelf.get").param("key", "k").ask().await.expect("answered");
    assert_eq!(answer.payload().to::<Value>().expect("a value"), json!({"value": "here", "size": 3}));
    client.to("shelf.always").ask().await.expect("its condition holds");
    let error = client.to("shelf.never").ask().await.expect_err("its condition does not hold");
    assert!(error.to_string().contains("no handler for the request shelf.never"), "{error}");
}

/// A dependency that was renamed, or is reached through another crate.
mod company {
    pub(crate) use tavrida as messaging;
}

#[derive(Serialize, Deserialize, tavrida::Rpc)]
#[rpc("renamed.get", reply = Page<T>, crate = company::messaging)]
struct Get<T> {
    what: T,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Page<T> {
    items: Vec<T>,
}

#[derive(Serialize, Deserialize, tavrida::Event)]
#[event("renamed.got", crate = company::messaging)]
struct Got;

struct Renamed;

#[tavrida::service("renamed", crate = company::messaging)]
impl Renamed {
    #[rpc(Get<u64>)]
    async fn get(&self, get: Get<u64>) -> Page<u64> {
        Page { items: vec![get.what] }
    }

    #[subscribe(Got)]
    async fn got(&self) {}

    #[rpc]
    async fn plain(&self, #[default] n: u64) -> Result<Value> {
        Ok(json!({ "n": n }))
    }
}

#[tokio::test(start_paused = true)]
async fn the_crate_may_have_another_name_and_contracts_may_be_generic() {
    let fixture = Fixture::new();
    let registry = Registry::new().remote_publisher("renamed", "renamed_notifications");
    let _server = fixture.host(Renamed.into_service().discovery(registry)).await;
    let client = fixture.client(&["renamed"]).await;
    assert_eq!(client.ask(Get { what: 7 }).await.expect("answered"), Page { items: vec![7] });
    client.to("renamed.plain").ask().await.expect("answered");
}
