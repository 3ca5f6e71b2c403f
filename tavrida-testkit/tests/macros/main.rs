//! `#[tavrida_testkit::test]`: what it makes from a scenario.

#[path = "../simulation/chain.rs"]
mod chain;
mod children;
#[path = "../../../tavrida/tests/it/compiler.rs"]
mod compiler;
mod pastes;
mod processes;
mod uses;
mod wrong_uses;
