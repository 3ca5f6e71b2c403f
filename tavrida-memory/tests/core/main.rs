//! The core broker, method by method, against the rules of the broker semantics: each test names the rules (R..), steps (A..) or scenarios
//! (S..) that it covers.

mod rig;

mod at_least_once;
mod bindings;
mod closing;
mod consuming;
mod dead_letters;
mod declaring;
mod dispatch;
mod exchanges;
mod features;
mod handlers;
mod limits;
mod operator;
mod policies;
mod publishing;
mod queues;
mod quorum;
mod recording;
mod replies;
mod restart;
mod scenarios;
mod settling;
mod single_active;
mod time;
mod transactions;
mod versions;
mod warnings;
