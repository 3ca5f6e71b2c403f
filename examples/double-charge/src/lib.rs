//! Four services of a small shop, and the search for the moment at which one of them charges a customer twice.
//!
//! ```text
//! web -> orders.place -> stock.reserve    => orders
//!                     -> payments.charge  => orders
//!                     ~> orders.placed    ~> notifications
//!                     => web
//! ```

pub mod bank;
pub mod contracts;
pub mod notifications;
pub mod orders;
pub mod payments;
pub mod scenario;
pub mod search;
pub mod stock;
