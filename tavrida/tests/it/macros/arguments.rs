//! Sources of arguments: the payload by name, or extractors by type or mark.

use serde::Deserialize;
use serde_json::{Value, json};
use tavrida::handler::{Extract, Invocation};
use tavrida::prelude::*;

use crate::fixture::Fixture;

/// An extractor of the application.
struct Tenant(String);

impl Extract for Tenant {
    fn extract(invocation: &Invocation) -> Result<Self> {
        let tenant = invocation.message().headers().get_str("x-tenant");
        tenant.map(|tenant| Self(tenant.to_owned())).ok_or_else(|| Failure::new("auth.NoTenant", "no tenant"))
    }
}

#[derive(Deserialize)]
struct Place {
    town: String,
}

const NAME: &str = "arguments";

struct Arguments {
    factor: i64,
}

#[tavrida::service(NAME)]
impl Arguments {
    #[rpc]
    async fn optional(&self, n: i64, note: Option<String>) -> Value {
        json!({ "n": n * self.factor, "note": note })
    }

    #[rpc]
    async fn defaults(
        &self,
        #[default] n: i64,
        #[default(self::ten() + 1)] m: i64,
        #[default("nobody".to_owned())] who: String,
    ) -> Value {
        json!({ "n": n, "m": m, "who": who })
    }

    #[rpc]
    async fn names(
        &self,
        #[param("from")] sender: String,
        r#type: String,
        _unused: i64,
        mut list: Vec<i64>,
    ) -> Value {
        list.reverse();
        json!({ "sender": sender, "type": r#type, "list": list })
    }

    #[rpc]
    async fn named_as_ours(&self, this: i64, service: i64, message: i64) -> Value {
        json!({ "sum": this + service + message + self.factor })
    }

    #[rpc]
    async fn mixed(
        &self,
        n: i64,
        #[extract] Tenant(tenant): Tenant,
        place: Place,
        Json(all): Json<Value>,
        attempt: Attempt,
    ) -> Value {
        json!({ "n": n, "tenant": tenant, "town": place.town, "all": all, "attempt": attempt.number })
    }

    #[rpc]
    #[allow(clippy::too_many_arguments)]
    async fn many(
        &self,
        request: Request,
        proxy: Proxy,
        context: Context,
        headers: Headers,
        attempt: Attempt,
        a: i64,
        b: i64,
        c: i64,
        d: i64,
        e: i64,
        f: i64,
        g: i64,
        h: i64,
    ) -> Value {
        let _ = (request, proxy, context, headers, attempt);
        json!({ "sum": a + b + c + d + e + f + g + h })
    }
}

fn ten() -> i64 {
    10
}

async fn asked(method: &str, params: Value) -> Result<Value, String> {
    let fixture = Fixture::new();
    let _server = fixture.host(Arguments { factor: 2 }.into_service()).await;
    let client = fixture.client(&[NAME]).await;
    let request = client.to(format!("{NAME}.{method}")).params(&params).header("x-tenant", "acme");
    match request.ask().await {
        Ok(answer) => Ok(answer.payload().to().expect("a value")),
        Err(error) => Err(error.failed().expect("answered").message()),
    }
}

#[tokio::test(start_paused = true)]
async fn an_option_is_none_where_the_parameter_is_missing_or_null() {
    for params in [json!({"n": 1}), json!({"n": 1, "note": null})] {
        assert_eq!(asked("optional", params).await, Ok(json!({"n": 2, "note": null})));
    }
    assert_eq!(
        asked("optional", json!({"n": 1, "note": "x", "more": 1})).await,
        Ok(json!({"n": 2, "note": "x"}))
    );
    assert_eq!(asked("optional", json!({})).await, Err("the parameter 'n' is missing".to_owned()));
    let ill_typed = asked("optional", json!({"n": "one"})).await.expect_err("no number");
    assert!(ill_typed.starts_with("the parameter 'n' is ill-typed: invalid type"), "{ill_typed}");
}

#[tokio::test(start_paused = true)]
async fn a_default_stands_in_for_a_missing_parameter() {
    assert_eq!(asked("defaults", json!({})).await, Ok(json!({"n": 0, "m": 11, "who": "nobody"})));
    let given = json!({"n": 1, "m": 2, "who": "me"});
    assert_eq!(asked("defaults", given.clone()).await, Ok(given));
}

#[tokio::test(start_paused = true)]
async fn a_parameter_may_have_another_name_in_the_payload() {
    let params = json!({"from": "me", "type": "letter", "unused": 1, "list": [1, 2]});
    assert_eq!(asked("names", params).await, Ok(json!({"sender": "me", "type": "letter", "list": [2, 1]})));
}

#[tokio::test(start_paused = true)]
async fn a_parameter_may_be_named_as_what_the_macro_writes() {
    let params = json!({"this": 1, "service": 2, "message": 3});
    assert_eq!(asked("named_as_ours", params).await, Ok(json!({"sum": 8})));
}

#[tokio::test(start_paused = true)]
async fn extractors_and_parameters_stand_in_any_order() {
    let params = json!({"n": 1, "place": {"town": "Yalta"}});
    let answer = asked("mixed", params.clone()).await.expect("answered");
    assert_eq!(answer, json!({"n": 1, "tenant": "acme", "town": "Yalta", "all": params, "attempt": 1}));
}

#[tokio::test(start_paused = true)]
async fn a_handler_may_have_five_extractors_and_eight_parameters() {
    let params = json!({"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6, "g": 7, "h": 8});
    assert_eq!(asked("many", params).await, Ok(json!({"sum": 36})));
}
