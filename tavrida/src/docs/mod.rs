//! Chapters of the documentation. Their code is tested.

#[doc = include_str!("tutorial.md")]
pub mod tutorial {}

#[doc = include_str!("services.md")]
pub mod services {}

#[doc = include_str!("calls.md")]
pub mod calls {}

#[doc = include_str!("context.md")]
pub mod context {}

#[doc = include_str!("later.md")]
pub mod later {}

#[doc = include_str!("failure.md")]
pub mod failure {}

#[doc = include_str!("testing.md")]
pub mod testing {}

#[doc = include_str!("security.md")]
pub mod security {}

#[doc = include_str!("production.md")]
pub mod production {}

#[doc = include_str!("migration.md")]
pub mod migration {}

#[doc = include_str!("wire.md")]
pub mod wire {}

#[doc = include_str!("architecture.md")]
pub mod architecture {}
