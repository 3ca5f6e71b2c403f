//! The attribute on the type instead of its impl block.
//!
//~ `#[tavrida::service("name")]` goes above an impl block that holds the handlers: `impl Hello { ... }`

#[tavrida::service("hello")]
struct Hello;
