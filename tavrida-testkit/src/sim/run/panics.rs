//! Captures all panics on the thread of a run, so that one in a detached task is not lost.

use std::cell::RefCell;
use std::panic::{self, PanicHookInfo};
use std::sync::Once;

thread_local! {
    /// `None` while no run is under way on this thread.
    static HEARD: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Captures panics on this thread until it is dropped.
pub(super) struct Watching(());

/// Starts to capture: panics of this thread are kept, and not printed.
pub(super) fn watch() -> Watching {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !keep(info) {
                before(info);
            }
        }));
    });
    HEARD.with(|heard| *heard.borrow_mut() = Some(Vec::new()));
    Watching(())
}

/// Takes the first captured panic.
pub(super) fn take() -> Option<String> {
    HEARD.with(|heard| {
        let mut heard = heard.borrow_mut();
        let panics = heard.as_mut()?;
        (!panics.is_empty()).then(|| panics.remove(0))
    })
}

/// What in a handler leaves the simulation: what tokio says of it when it panics, and what it is.
const OUTSIDE: [(&str, &str); 3] = [
    (
        "IO is disabled",
        "A socket of tokio was opened, as clients of databases and of HTTP (sqlx, reqwest) do: a simulation has no I/O",
    ),
    (
        "can call blocking only when running on the multi-threaded runtime",
        "`block_in_place` was called: a simulation has one thread, which must not block",
    ),
    (
        "Cannot start a runtime from within a runtime",
        "A runtime was started or blocked on inside of a handler: a simulation has one runtime, which must not block",
    ),
];

/// Returns what a panic means if tokio caused it, since something leaves the simulation.
fn explanation(text: &str) -> Option<String> {
    let (_, what) = OUTSIDE.iter().find(|(said, _)| text.contains(said))?;
    Some(format!(
        "{what}. Give the service a stand-in, whose operations begin with tavrida_testkit::yield_point().await, as it gets its pool or client: by its \
         factory"
    ))
}

/// Returns what the captured panics mean that tokio caused, if any.
pub(super) fn explanations() -> Option<String> {
    HEARD.with(|heard| {
        let heard = heard.borrow();
        heard.as_ref()?.iter().find_map(|text| explanation(text))
    })
}

fn keep(info: &PanicHookInfo<'_>) -> bool {
    let payload = info.payload();
    let text = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without text".to_owned());
    let place = info.location().map(|place| format!(" ({}:{})", place.file(), place.line()));
    let kept = HEARD.try_with(|heard| {
        let mut heard = heard.try_borrow_mut().ok()?;
        heard.as_mut()?.push(text + &place.unwrap_or_default());
        Some(())
    });
    matches!(kept, Ok(Some(())))
}

impl Drop for Watching {
    fn drop(&mut self) {
        HEARD.with(|heard| *heard.borrow_mut() = None);
    }
}

#[cfg(test)]
mod tests {
    use super::explanation;

    #[test]
    fn a_panic_of_tokio_is_explained() {
        let of_tokio = "A Tokio 1.x context was found, but IO is disabled. Call `enable_io` on the runtime builder to enable IO.";
        let text = explanation(of_tokio).expect("it leaves the simulation");
        assert!(text.contains("a simulation has no I/O") && text.contains("stand-in"), "{text}");
        assert_eq!(explanation("index out of bounds"), None);
    }
}
