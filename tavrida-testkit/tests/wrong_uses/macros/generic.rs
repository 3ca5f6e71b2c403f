//! A scenario that is generic.
//!
//~ a test has no generics, as nobody would say what they are

use tavrida_testkit::sim::Sim;

#[tavrida_testkit::test]
async fn it_holds<T>(sim: Sim) {}
