//! On an item that is not a function.
//!
//~ `#[tavrida_testkit::test]` goes above a scenario: `async fn it_holds(sim: Sim) { ... }`

#[tavrida_testkit::test]
mod scenarios {}
