//! The attribute on an impl block of a trait.
//!
//~ this implements a trait; `#[tavrida::service("name")]` goes above an impl block that holds the handlers: `impl Hello { ... }`

struct Hello;

#[tavrida::service("hello")]
impl Clone for Hello {
    fn clone(&self) -> Self {
        Self
    }
}
