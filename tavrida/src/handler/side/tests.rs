//! What handlers of a contract may return, and the resulting replies.

use serde::{Deserialize, Serialize};

use super::*;
use crate::contract::{NoError, declared};
use crate::message::{Addresses, MessageKind, Payload, Request};
use crate::proxy::RpcError;

#[derive(Serialize, Deserialize)]
struct Charge {}

#[derive(Debug, Serialize, Deserialize)]
struct Receipt {
    number: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Declined {
    left: u64,
}

impl std::fmt::Display for Declined {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "only {} left", self.left)
    }
}

impl std::error::Error for Declined {}

impl Rpc for Charge {
    const ENTRY_POINT: &'static str = "billing.charge";
    type Reply = Receipt;
    type Error = Declined;
}

fn answer<M>(returned: impl IntoAnswer<OfRequests<Charge>, M>) -> Result<Reply, Failure> {
    returned.into_answer()
}

fn reply_of(failure: &Failure) -> ErrorReply {
    Request(Message::new(MessageKind::Request, "chain".into(), Addresses::default())).fail(failure)
}

#[test]
fn the_reply_alone_or_in_a_result_is_the_payload() {
    let payload = Reply::Payload(Payload::new(&serde_json::json!({"number": 7})).unwrap());
    assert_eq!(answer(Receipt { number: 7 }), Ok(payload.clone()));
    assert_eq!(answer(Ok::<_, Declined>(Receipt { number: 7 })), Ok(payload.clone()));
    assert_eq!(answer(Ok::<_, Failure>(Receipt { number: 7 })), Ok(payload));
}

#[test]
fn the_declared_error_crosses_as_such_returned_plain_or_with_a_question_mark() {
    fn with_a_question_mark() -> Result<Receipt, Failure> {
        Err(Declined { left: 3 })?
    }
    for failure in [answer(Err::<Receipt, _>(Declined { left: 3 })), answer(with_a_question_mark())] {
        let reply = reply_of(&failure.unwrap_err());
        assert_eq!(declared::<Charge>(&reply), Some(Declined { left: 3 }));
    }
}

#[test]
fn an_asked_services_error_of_the_same_type_is_declared_here_too() {
    fn asks_another() -> Result<Receipt, Failure> {
        let reply = reply_of(&Failure::new("bank.Declined", "only 3 left").with_code(7));
        Err(RpcError::Declared { error: Declined { left: 3 }, reply })?
    }
    let failure = answer(asks_another()).unwrap_err();
    assert_eq!((failure.class(), failure.code()), ("billing.Declined", 1000));
    assert_eq!(declared::<Charge>(&reply_of(&failure)), Some(Declined { left: 3 }));
}

#[test]
fn any_other_error_of_an_asked_service_travels_on_as_what_it_was() {
    fn asks_another() -> Result<Receipt, Failure> {
        let failure = Failure::new("bank.Closed", "come back tomorrow").with_code(7).with_detail("Sunday")?;
        Err(RpcError::<NoError>::from(crate::proxy::AskError::Failed(reply_of(&failure))))?
    }
    let failure = answer(asks_another()).unwrap_err();
    assert_eq!((failure.class(), failure.code(), failure.detail()), ("bank.Closed", 7, Some(r#""Sunday""#)));
}

#[test]
fn a_declared_error_that_is_worth_a_retry_stays_so() {
    let failure = Failure::from(Declined { left: 3 }).retryable();
    let failure = answer(Err::<Receipt, _>(failure)).unwrap_err();
    assert!(failure.is_retryable() && failure.detail().is_some());
}
