//! Each kind of handler, by strings and by contracts.

use serde::Serialize;
use tavrida::contract::CallError;
use tavrida::message::MessageKind;
use tavrida::prelude::*;
use tavrida::proxy::{Answered, Responder};

use super::{Billing, Charge, Charged, Receipt, Told};
use crate::fixture::{Fixture, Notes, registry};

#[derive(Serialize)]
struct Sum {
    sum: i64,
}

struct Calc;

#[tavrida::service("calc")]
impl Calc {
    #[rpc]
    async fn sum(&self, a: i64, b: i64) -> Result<Sum> {
        let sum =
            a.checked_add(b).ok_or_else(|| Failure::new("calc.Overflow", "too large").with_code(4000))?;
        Ok(Sum { sum })
    }

    #[rpc("minus")]
    async fn difference(a: i64, b: i64) -> Sum {
        Sum { sum: a - b }
    }

    #[rpc("adder.sum")]
    async fn for_another_name(&self, request: Request, a: i64) -> Option<Sum> {
        (request.destination().service() == Some("adder")).then_some(Sum { sum: a })
    }

    #[rpc]
    async fn r#type(&self) -> Result<Sum, tavrida::Error> {
        Ok(Sum { sum: 7 })
    }
}

#[tokio::test(start_paused = true)]
async fn a_method_answers_under_its_own_name_or_a_given_one() {
    let fixture = Fixture::new();
    let _calc = fixture.host(Calc.into_service()).await;
    let registry = registry(&["calc"]).remote_service("adder", "calc_exchange");
    let client = Client::builder(fixture.broker.transport()).source("client_app").discovery(registry);
    let client = client.build().await.expect("a client");
    for (method, expected) in [("calc.sum", 5), ("calc.minus", -1), ("adder.sum", 2), ("calc.type", 7)] {
        let answer = client.to(method).param("a", 2).param("b", 3).ask().await.expect(method);
        assert_eq!(answer.payload().get::<i64>("sum").expect("a sum"), expected, "{method}");
    }
    let error = client.to("calc.sum").param("a", i64::MAX).param("b", 1).ask().await.expect_err("too large");
    assert_eq!(error.failed().expect("answered").code(), Some(4000));
}

struct Orders(Told);

#[tavrida::service("orders")]
impl Orders {
    #[rpc]
    async fn order(&self, proxy: Proxy, cents: u64) -> Result<()> {
        proxy.call(Charge { order: 7, cents }).await?;
        Ok(())
    }

    #[response(Charge)]
    async fn charged(&self, receipt: Receipt, response: Response) -> Result<()> {
        self.0.add(format!("{receipt:?} {}", response.source()));
        Ok(())
    }

    #[error(Charge)]
    async fn not_charged(&self, refusal: CallError<Charge>) {
        self.0.add(format!("{refusal:?}"));
    }

    #[subscribe(Charged)]
    async fn heard(&self, event: Charged) {
        self.0.add(format!("charged {}", event.order));
    }
}

#[tokio::test(start_paused = true)]
async fn contracts_are_handled_without_a_single_text() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let discovery = registry(&["billing"]).remote_publisher("billing", "billing_notifications");
    let orders = Orders(Told(notes.clone())).into_service().discovery(discovery);
    let discovery = registry(&["orders"]).local_publisher("billing", "billing_notifications");
    let _servers =
        (fixture.host(orders).await, fixture.host(Billing.into_service().discovery(discovery)).await);
    let client = fixture.client(&["orders"]).await;
    for (cents, count) in [(100, 2), (0, 3), (600, 4)] {
        client.to("orders.order").param("cents", cents).cast().await.expect("sent");
        notes.reach(count).await;
    }
    let mut all = notes.all();
    all[..2].sort();
    assert_eq!(
        all,
        [
            "Receipt { number: 70 } billing.charge",
            "charged 7",
            "Declared(Blocked)",
            "Declared(NoFunds { left: 499 })"
        ]
    );
    let billing = fixture.client(&["billing"]).await;
    let error = billing.ask(Charge { order: 7, cents: 0 }).await.expect_err("blocked");
    assert_eq!(error.failed().expect("answered").code(), Some(4003));
}

struct Strings(Told);

#[tavrida::service("strings")]
impl Strings {
    #[response("billing.charge")]
    #[error("billing.charge")]
    async fn came_back(&self, message: tavrida::message::Message) {
        self.0.add(format!("{} of {}", message.kind(), message.source()));
    }

    #[subscribe("billing.charged")]
    async fn heard(&self, notification: Notification, order: u64) -> Result<()> {
        self.0.add(format!("{order} {}", notification.source()));
        Ok(())
    }

    #[rpc]
    async fn start(proxy: Proxy, cents: u64) -> Result<()> {
        proxy.call(Charge { order: 7, cents }).await?;
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_method_may_handle_more_than_one_thing() {
    let (fixture, notes) = (Fixture::new(), Notes::default());
    let discovery = registry(&["billing"]).remote_publisher("billing", "billing_notifications");
    let strings = Strings(Told(notes.clone())).into_service().discovery(discovery);
    let discovery = registry(&["strings"]).local_publisher("billing", "billing_notifications");
    let _servers =
        (fixture.host(strings).await, fixture.host(Billing.into_service().discovery(discovery)).await);
    let client = fixture.client(&["strings"]).await;
    client.to("strings.start").param("cents", 100).cast().await.expect("sent");
    notes.reach(2).await;
    client.to("strings.start").param("cents", 0).cast().await.expect("sent");
    let mut all = notes.reach(3).await;
    all.sort();
    assert_eq!(all, ["7 billing.charged", "error of billing.charge", "response of billing.charge"]);
}

struct Later;

#[tavrida::service("later")]
impl Later {
    #[rpc]
    async fn start(&self, reply: Responder, proxy: Proxy, cents: u64) -> Result<Answered> {
        let reply = reply.keeping(cents);
        Ok(proxy.request(Charge { order: 7, cents }).call_with(reply).await?)
    }

    #[response(Charge)]
    async fn charged(&self, reply: Responder<tavrida::proxy::Untyped, u64>, receipt: Receipt) {
        let sum = receipt.number as i64 + *reply.state() as i64;
        reply.answer(Sum { sum });
    }
}

#[tokio::test(start_paused = true)]
async fn a_method_may_take_its_reply_along() {
    let fixture = Fixture::new();
    let later = Later.into_service().discovery(registry(&["billing"]));
    let discovery = registry(&["later"]).local_publisher("billing", "billing_notifications");
    let _servers =
        (fixture.host(later).await, fixture.host(Billing.into_service().discovery(discovery)).await);
    let answer =
        fixture.client(&["later"]).await.to("later.start").param("cents", 5).ask().await.expect("answered");
    assert_eq!(answer.payload().get::<i64>("sum").expect("a sum"), 75);
}

#[test]
fn what_a_service_handles_can_be_listed() {
    let service = Orders(Told(Notes::default())).into_service();
    let listed = |kind| service.entry_points(kind).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(listed(MessageKind::Request), ["orders.order"]);
    assert_eq!(listed(MessageKind::Response), ["billing.charge"]);
    assert_eq!(listed(MessageKind::Error), ["billing.charge"]);
    assert_eq!(listed(MessageKind::Notification), ["billing.charged"]);
}
