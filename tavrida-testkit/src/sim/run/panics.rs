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
