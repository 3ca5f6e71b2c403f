//! Services that communicate: requests, answers, errors, notifications, and what they carry.

use serde_json::json;
use tavrida::discovery::Registry;
use tavrida::field::Value;
use tavrida::prelude::*;

use crate::fixture::{Fixture, Notes, registry};

async fn hello(notes: State<Notes>, request: Request, proxy: Proxy, param: i64) -> Result<()> {
    notes.add(format!("hello {param} {}", request.context()));
    proxy.to("world.world").param("param", param * 2).call().await?;
    Ok(())
}

async fn world(notes: State<Notes>, request: Request, param: i64) -> Result<serde_json::Value> {
    notes.add(format!("world {param} {}", request.context()));
    if param < 0 {
        return Err(Failure::new("exceptions.ValueError", "below zero"));
    }
    Ok(json!({ "answer": 42 }))
}

async fn answered(notes: State<Notes>, response: Response, answer: i64) {
    notes.add(format!("answered {answer} {} by {}", response.context(), response.source()));
}

async fn failed(notes: State<Notes>, error: ErrorReply) {
    notes.add(format!("failed {:?} {:?} {}", error.name(), error.code(), error.context()));
}

fn hello_service(notes: &Notes) -> Service {
    Service::new("hello")
        .state(notes.clone())
        .rpc("hello", params(["param"], hello))
        .on_response("world.world", params(["answer"], answered))
        .on_error("world.world", failed)
        .discovery(registry(&["world"]))
}

fn world_service(notes: &Notes) -> Service {
    Service::new("world")
        .state(notes.clone())
        .rpc("world", params(["param"], world))
        .discovery(registry(&["hello"]))
}

#[tokio::test(start_paused = true)]
async fn a_chain_goes_to_the_other_service_and_back_and_its_context_grows() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let _servers = (fixture.host(hello_service(&notes)).await, fixture.host(world_service(&notes)).await);
    fixture.client(&["hello"]).await.to("hello.hello").param("param", 7).cast().await.expect("sent");
    assert_eq!(
        notes.reach(3).await,
        [
            r#"hello 7 {"param":7}"#,
            r#"world 14 {"param":14}"#,
            r#"answered 42 {"param":14,"answer":42} by world.world"#
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn an_error_of_a_handler_comes_to_the_callers_error_handler_and_into_its_context() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let _servers = (fixture.host(hello_service(&notes)).await, fixture.host(world_service(&notes)).await);
    fixture.client(&["hello"]).await.to("hello.hello").param("param", -1).cast().await.expect("sent");
    let last = notes.reach(3).await.pop().expect("three notes");
    assert!(last.starts_with(r#"failed "ValueError" Some(1000) {"param":-2,"#), "{last}");
    assert!(last.contains(r#""class":"exceptions.ValueError""#), "{last}");
}

#[tokio::test(start_paused = true)]
async fn two_services_that_call_each_other_share_one_server_and_need_no_discovery() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let both =
        fixture.server(hello_service(&notes).discovery(Registry::new())).service(world_service(&notes));
    let _server = fixture.run(both).await;
    fixture.client(&["hello"]).await.to("hello.hello").param("param", 1).cast().await.expect("sent");
    assert_eq!(notes.reach(3).await.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn correlation_id_and_custom_headers_travel_along_the_whole_chain() {
    async fn first(proxy: Proxy) -> Result<()> {
        proxy.add_header("x-added", "by first")?;
        proxy.to("second.work").call().await?;
        Ok(())
    }
    async fn second(notes: State<Notes>, request: Request) -> Result<serde_json::Value> {
        let headers = request.headers();
        notes.add(format!(
            "{} {:?} {:?} {:?}",
            request.correlation_id(),
            headers.get_str("x-trace"),
            headers.get("x-number"),
            headers.get_str("x-added"),
        ));
        Ok(json!({}))
    }
    async fn back(notes: State<Notes>, response: Response) {
        notes.add(format!("{} {:?}", response.correlation_id(), response.headers().get_str("x-trace")));
    }
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let services = fixture
        .server(
            Service::new("first").state(notes.clone()).rpc("work", first).on_response("second.work", back),
        )
        .service(Service::new("second").state(notes.clone()).rpc("work", second));
    let _server = fixture.run(services).await;
    let client = fixture.client(&["first"]).await;
    let request =
        client.to("first.work").correlation_id("123-456").header("x-trace", "abc").header("x-number", 7);
    request.cast().await.expect("sent");
    assert_eq!(
        notes.reach(2).await,
        [r#"123-456 Some("abc") Some(I32(7)) Some("by first")"#, r#"123-456 Some("abc")"#]
    );
}

#[tokio::test(start_paused = true)]
async fn a_correlation_id_that_is_a_number_stays_one() {
    async fn work(notes: State<Notes>, request: Request, proxy: Proxy) -> Result<()> {
        notes.add(format!("{:?}", request.correlation_id().as_value()));
        if request.source().service() == Some("client_app") {
            proxy.to("echo.work").cast().await?;
        }
        Ok(())
    }
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let _server = fixture.host(Service::new("echo").state(notes.clone()).rpc("work", work)).await;
    let client = fixture.client(&["echo"]).await;
    client.to("echo.work").correlation_id(Value::I32(516)).cast().await.expect("sent");
    assert_eq!(notes.reach(2).await, ["I32(516)", "I32(516)"]);
}

fn subscriber(name: &str, notes: &Notes) -> Service {
    let who = name.to_owned();
    let hear = move |notes: State<Notes>, id: i64| {
        let who = who.clone();
        async move { notes.add(format!("{who} heard {id}")) }
    };
    Service::new(name)
        .state(notes.clone())
        .on_notification("orders.created", params(["id"], hear))
        .discovery(Registry::new().remote_publisher("orders", "orders_notifications"))
}

fn publisher() -> Service {
    async fn create(proxy: Proxy, id: i64) -> Result<()> {
        proxy.publish().event("created").param("id", id).mandatory().send().await?;
        Ok(())
    }
    let registry = Registry::new().local_publisher("orders", "orders_notifications");
    Service::new("orders").rpc("create", params(["id"], create)).discovery(registry)
}

#[tokio::test(start_paused = true)]
async fn a_notification_reaches_every_subscriber_of_every_server() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    // Subscribers first: they declare an exchange that does not exist yet.
    let two = fixture.server(subscriber("billing", &notes)).service(subscriber("audit", &notes));
    let _servers = (
        fixture.run(two).await,
        fixture.host(subscriber("stock", &notes)).await,
        fixture.host(publisher()).await,
    );
    fixture.client(&["orders"]).await.to("orders.create").param("id", 7).cast().await.expect("sent");
    let mut heard = notes.reach(3).await;
    heard.sort();
    assert_eq!(heard, ["audit heard 7", "billing heard 7", "stock heard 7"]);
}

#[tokio::test(start_paused = true)]
async fn replicas_share_the_work_of_one_queue() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let replica = |who: &'static str| {
        let work = move |notes: State<Notes>| async move { notes.add(who) };
        Service::new("work").state(notes.clone()).rpc("do", work)
    };
    let _servers = (fixture.host(replica("one")).await, fixture.host(replica("two")).await);
    let client = fixture.client(&["work"]).await;
    for _ in 0..10 {
        client.to("work.do").cast().await.expect("sent");
    }
    let done = notes.reach(10).await;
    assert_eq!(done.iter().filter(|who| *who == "one").count(), 5, "{done:?}");
}

#[tokio::test(start_paused = true)]
async fn a_handler_reads_the_context_and_adds_to_it() {
    async fn first(context: Context, proxy: Proxy) -> Result<()> {
        let user: String = context.get("user")?;
        context.insert("greeting", &format!("hello {user}"))?;
        proxy.to("greet.second").cast().await?;
        Ok(())
    }
    async fn second(notes: State<Notes>, context: Context) {
        notes.add(context.to_string());
    }
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let _server = fixture
        .host(Service::new("greet").state(notes.clone()).rpc("first", first).rpc("second", second))
        .await;
    let client = fixture.client(&["greet"]).await;
    client.to("greet.first").context(&json!({"user": "ann"})).cast().await.expect("sent");
    assert_eq!(notes.reach(1).await, [r#"{"user":"ann","greeting":"hello ann"}"#]);
}

#[tokio::test(start_paused = true)]
async fn a_transfer_keeps_chain_and_payload_and_its_answer_comes_back_or_goes_on() {
    async fn desk(request: Request, proxy: Proxy, on: bool) -> Result<()> {
        let transfer = proxy.to("expert.solve");
        let transfer = if on { transfer.answer_to_caller() } else { transfer };
        transfer.transfer(&request).await?;
        Ok(())
    }
    async fn solve(request: Request, on: bool) -> serde_json::Value {
        json!({ "solved": on, "chain": request.correlation_id().to_string() })
    }
    async fn back(notes: State<Notes>, solved: bool, chain: String) {
        notes.add(format!("back at the desk: {solved} in {chain}"));
    }
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let services = Service::new("desk")
        .state(notes.clone())
        .rpc("help", params(["on"], desk))
        .on_response("expert.solve", params(["solved", "chain"], back));
    let server = fixture.server(services).service(Service::new("expert").rpc("solve", params(["on"], solve)));
    let _server = fixture.run(server).await;
    let client = fixture.client(&["desk"]).await;

    client.to("desk.help").param("on", false).correlation_id("c-1").cast().await.expect("sent");
    assert_eq!(notes.reach(1).await, ["back at the desk: false in c-1"]);

    let answer =
        client.to("desk.help").param("on", true).correlation_id("c-2").ask().await.expect("an answer");
    assert_eq!(answer.payload().get::<String>("chain").expect("a chain"), "c-2");
    assert_eq!(answer.source().as_str(), "expert.solve");
}

#[tokio::test(start_paused = true)]
async fn a_notification_without_a_topic_is_an_error_that_says_what_to_write() {
    async fn hear(proxy: Proxy, notes: State<Notes>) {
        let error = proxy.publish().send().await.expect_err("nobody could subscribe to it");
        notes.add(error.to_string());
    }
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let deaf = Service::new("deaf")
        .state(notes.clone())
        .on_notification("orders.created", hear)
        .discovery(Registry::new().remote_publisher("orders", "orders_notifications"));
    let _servers = (fixture.host(deaf).await, fixture.host(publisher()).await);
    fixture.client(&["orders"]).await.to("orders.create").param("id", 7).cast().await.expect("sent");
    assert!(notes.reach(1).await[0].contains(r#"`.event("created")`"#));
}

#[tokio::test(start_paused = true)]
async fn what_nobody_hears_is_told_and_counted() {
    async fn shout(proxy: Proxy, notes: State<Notes>) -> Result<()> {
        notes.add(format!("{:?}", proxy.publish().send().await?));
        let error = proxy.publish().mandatory().send().await.expect_err("it had to be heard");
        notes.add(format!("unroutable: {}", error.is_unroutable()));
        Ok(())
    }
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let registry = Registry::new().local_publisher("lonely", "lonely_notifications");
    let lonely = Service::new("lonely").state(notes.clone()).rpc("shout", shout).discovery(registry);
    let server = fixture.host(lonely).await;
    fixture.client(&["lonely"]).await.to("lonely.shout").cast().await.expect("sent");
    assert_eq!(notes.reach(2).await, ["Unheard", "unroutable: true"]);
    assert_eq!(server.handle.counters().unheard, 2);
}
