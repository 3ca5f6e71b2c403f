//! Hello and World as in the capture's recorder, written with this library: each handler does what the original's handler of that name did.

use serde::Deserialize;
use serde_json::{Value, json};
use tavrida::message::Reply as Answer;
use tavrida::prelude::*;

use crate::fixture::Notes;

/// A parameter of any type, which is mandatory: a `Value` alone may be missing, as an `Option` may.
#[derive(Deserialize)]
struct Given {
    #[serde(deserialize_with = "Deserialize::deserialize")]
    param: Value,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "it only says which parameters there must be")]
struct GivenBoth {
    #[serde(deserialize_with = "Deserialize::deserialize")]
    param: Value,
    #[serde(deserialize_with = "Deserialize::deserialize")]
    opt: Value,
}

fn raised(class: &str, message: &str, code: i64) -> Result<()> {
    Err(Failure::new(class, message).with_code(code))
}

/// Sends a request to world with these parameters.
async fn call(proxy: &Proxy, method: &str, payload: Value) -> Result<()> {
    proxy.to(method).params(&payload).call().await?;
    Ok(())
}

/// A handler that only calls world.
macro_rules! calling {
    ($method:literal, $payload:tt) => {
        async |proxy: Proxy| call(&proxy, $method, json!($payload)).await
    };
}

pub(super) fn hello(notes: &Notes) -> Service {
    let registry = Registry::new()
        .remote_service("test_world", "test_world_exchange")
        .remote_service("client_app", "client_exchange")
        .local_publisher("test_hello", "test_notification_exchange");
    let service = Service::new("test_hello").state(notes.clone()).discovery(registry);
    answering(sending(calls(service)))
        .on_response("test_world.world", params(["param"], heard_world))
        .on_response("test_world.odd_response", params(["param"], heard_world))
        .on_error("test_world.world", world_failed)
        .on_error("test_world.fail", world_failed)
        .on_error("test_world.fail_tavrida", world_failed)
        .on_error("test_world.fail_coded", world_failed)
}

async fn heard_world(notes: State<Notes>, response: Response, param: String) {
    notes.add(format!("{} {param} {}", response.correlation_id(), response.context()));
}

async fn world_failed(notes: State<Notes>, error: ErrorReply) {
    notes.add(format!("{} {} {} {:?}", error.correlation_id(), error.class(), error.message(), error.code()));
}

fn calls(service: Service) -> Service {
    service
        .rpc("chain", calling!("test_world.world", {"param": 12345}))
        .rpc("chain_fail", calling!("test_world.fail", {"param": "make it fail"}))
        .rpc("chain_tavrida", calling!("test_world.fail_tavrida", {"param": "x"}))
        .rpc("chain_coded", calling!("test_world.fail_coded", {"param": "x"}))
        .rpc("chain_noparam", calling!("test_world.world", {"wrong": "x"}))
        .rpc("chain_extra", calling!("test_world.world", {"param": "x", "extra": "y"}))
        .rpc("chain_unknown_handler", calling!("test_world.no_such_method", {"param": "x"}))
        .rpc("chain_unknown_service", calling!("nowhere.world", {"param": "x"}))
        .rpc("chain_extra_response", calling!("test_world.odd_response", {"param": "x"}))
        .rpc("chain_no_resp_handler", calling!("test_world.unheard", {"param": "x"}))
}

fn sending(service: Service) -> Service {
    service
        .rpc("pub", async |proxy: Proxy| publish(&proxy, json!({"param": "hello publication"})).await)
        .rpc("pub_extra", async |proxy: Proxy| publish(&proxy, json!({"param": "a", "extra": "b"})).await)
        .rpc("pub_hdr", async |proxy: Proxy| {
            proxy.add_header("x-added", "yes")?;
            publish(&proxy, json!({"param": "after add_headers"})).await?;
            call(&proxy, "test_world.world", json!({"param": "after add_headers"})).await
        })
        .rpc("xfer", async |proxy: Proxy, request: Request| {
            world(&proxy, "transferred").transfer(&request).await.map(drop).map_err(Failure::from)
        })
        .rpc("xfer_ctx", async |proxy: Proxy, request: Request| {
            let own = world(&proxy, "transferred").context(&json!({"own": 1, "param": "from-ctx"}));
            own.transfer(&request).await.map(drop).map_err(Failure::from)
        })
        .rpc("xfer_full", async |proxy: Proxy, request: Request| {
            let callers = world(&proxy, "transferred").source(request.source().clone());
            callers
                .reply_to(request.reply_to().clone())
                .transfer(&request)
                .await
                .map(drop)
                .map_err(Failure::from)
        })
        .rpc("do_cast", async |proxy: Proxy| {
            world(&proxy, "cast from hello").cast().await.map(drop).map_err(Failure::from)
        })
        .rpc("source_str", async |proxy: Proxy| {
            world(&proxy, "src").source("some_source").cast().await.map(drop).map_err(Failure::from)
        })
        .rpc("ctx_call", async |proxy: Proxy| {
            let only = world(&proxy, "ctx").context(&json!({"only": "this"}));
            only.call().await.map(drop).map_err(Failure::from)
        })
        .rpc("reply_custom", async |proxy: Proxy| {
            world(&proxy, "custom")
                .reply_to("test_hello.custom")
                .call()
                .await
                .map(drop)
                .map_err(Failure::from)
        })
        .rpc("new_cid", async |proxy: Proxy, request: Request| {
            let chain = format!("{}-new", request.correlation_id());
            world(&proxy, "cid").correlation_id(chain).call().await.map(drop).map_err(Failure::from)
        })
        .rpc("two_calls", async |proxy: Proxy| {
            call(&proxy, "test_world.world", json!({"param": "one"})).await?;
            call(&proxy, "test_world.world", json!({"param": "two"})).await
        })
}

fn world(proxy: &Proxy, param: &str) -> tavrida::proxy::RequestBuilder {
    proxy.to("test_world.world").param("param", param)
}

async fn publish(proxy: &Proxy, payload: Value) -> Result<()> {
    proxy.publish().params(&payload).send().await?;
    Ok(())
}

fn answering(service: Service) -> Service {
    let answer = async |Json(given): Json<Given>| json!({ "answer": given.param });
    service
        .rpc("hello", async |Json(_): Json<Given>| ())
        .rpc("ret_dict", answer)
        .rpc("ret_response", async |request: Request| {
            request.respond(
                tavrida::message::Payload::new(
                    &json!({ "made": request.payload().get::<Value>("param").unwrap() }),
                )
                .unwrap(),
            )
        })
        .rpc("ret_error", async |request: Request| {
            request.fail(&Failure::new("exceptions.ValueError", "returned, not raised").with_code(1000))
        })
        .rpc("ret_empty", async || Answer::Nothing)
        .rpc("ret_list", async || json!([1]))
        .rpc("ret_unserializable", async || json!("not an object"))
        .rpc("no_params", async || json!({ "ok": true }))
        .rpc("default_param", async |Json(_): Json<GivenBoth>| json!({ "ok": true }))
        .rpc("kwargs_param", async |Json(_): Json<Given>| json!({ "ok": true }))
        .rpc("boom", async || raised("exceptions.ValueError", "boom happened", 1000))
        .rpc("boom_bare", async || raised("exceptions.Exception", "", 1000))
        .rpc("boom_unicode", async || raised("exceptions.ValueError", "взрыв", 1000))
        .rpc("boom_coded", async || raised("__main__.Coded", "coded", 77))
        .rpc("nack", async || raised("__main__.Refuse", "try again", 4242))
}

pub(super) fn world_service(notes: &Notes) -> Service {
    let registry = Registry::new()
        .remote_service("test_hello", "test_exchange")
        .remote_service("client_app", "client_exchange")
        .remote_publisher("test_hello", "test_notification_exchange");
    let heard = async |notes: State<Notes>, heard: Notification, param: Value| {
        notes.add(format!("{} heard {param} {}", heard.correlation_id(), heard.context()));
    };
    Service::new("test_world")
        .state(notes.clone())
        .discovery(registry)
        .rpc("world", async |Json(_): Json<Given>| json!({ "param": "world response" }))
        .rpc("fail", async || raised("exceptions.ValueError", "world failed", 1000))
        .rpc("fail_tavrida", async || {
            raised("tavrida.exceptions.UnableToDiscover", "Service nowhere could not be discovered", 1007)
        })
        .rpc("fail_coded", async || raised("__main__.Coded", "with a code of its own", 77))
        .rpc("odd_response", async || json!({ "param": "x", "extra": "not a parameter of the handler" }))
        .rpc("unheard", async || json!({ "param": "nobody handles this" }))
        .on_notification("test_hello.pub", params(["param"], heard))
        .on_notification("test_hello.pub_hdr", params(["param"], heard))
        .on_notification("test_hello.pub_extra", params(["param"], heard))
        .on_notification("test_hello.sub_call", async |proxy: Proxy| {
            let request = proxy.to("test_hello.hello").param("param", "called from a subscription");
            request.call().await.map(drop).map_err(Failure::from)
        })
}
