//! [`cold`]: rare paths do not enlarge the common one.

use std::future::Future;
use std::pin::Pin;

/// Boxes the future of a rare path. A future contains those that it awaits: unboxed, a large rare one would make every send, or every
/// handled message, as large as itself.
pub(crate) fn cold<F: Future>(future: F) -> Pin<Box<F>> {
    Box::pin(future)
}
