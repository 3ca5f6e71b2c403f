//! [`select!`](crate::select!): like tokio's, except that a simulation can choose which branch is polled first.
//!
//! `tokio::select!` polls its branches starting at a random one, which cannot be controlled: if two are ready at once, either may be taken,
//! and a test that saw one outcome cannot repeat it. `tavrida::select!` is the same, until a simulation [chooses](choose_by) where to
//! start.

use std::cell::RefCell;
use std::fmt;

/// Chooses one of this many.
type Chooser = Box<dyn FnMut(usize) -> usize>;

thread_local! {
    static CHOOSER: RefCell<Option<Chooser>> = const { RefCell::new(None) };
}

/// Makes each [`select!`](crate::select!) on this thread poll its branches starting at the chosen one, until the returned guard is dropped.
/// `choose` gets the number of branches and returns a number below it; a greater one counts modulo the number of branches.
#[must_use = "the choice lasts until this is dropped"]
pub fn choose_by(choose: impl FnMut(usize) -> usize + 'static) -> Choosing {
    Choosing { before: CHOOSER.replace(Some(Box::new(choose))) }
}

/// The guard of a choice: see [`choose_by`].
pub struct Choosing {
    before: Option<Chooser>,
}

impl Drop for Choosing {
    fn drop(&mut self) {
        CHOOSER.set(self.before.take());
    }
}

impl fmt::Debug for Choosing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Choosing").finish_non_exhaustive()
    }
}

/// Returns where to start. `None` if there is no chooser.
pub fn first_of(branches: usize) -> Option<usize> {
    CHOOSER.with_borrow_mut(|chooser| chooser.as_mut().map(|choose| choose(branches) % branches))
}

/// Waits for several futures, and continues with the first that is ready. It has the syntax of `tokio::select!`; in a simulation the seed
/// chooses which branch is polled first.
///
/// ```
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// let first = tavrida::select! {
///     () = tokio::time::sleep(Duration::from_secs(2)) => "the long one",
///     () = tokio::time::sleep(Duration::from_secs(1)) => "the short one",
/// };
/// assert_eq!(first, "the short one");
/// # }
/// ```
///
/// The code of the branches is expanded once for each possible start, and once more for tokio's own choice: keep it short if there are many
/// branches. With `biased;` it expands to tokio's macro, as there is nothing to choose.
///
/// # Cancel safety
///
/// As for `tokio::select!`: futures that were not ready first are dropped.
#[macro_export]
macro_rules! select {
    // All branches are read: tokio or the chooser decides.
    (@read $all:tt ($($branch:tt)+)) => {
        $crate::select!(@choose $all () ($($branch)+))
    };
    (@read $all:tt ($($branch:tt)+) else => $else:expr $(,)?) => {
        $crate::select!(@choose $all (else => $else) ($($branch)+))
    };
    (@read $all:tt ($($branch:tt)*) $p:pat = $f:expr $(, if $c:expr)? => $h:block, $($rest:tt)*) => {
        $crate::select!(@read $all ($($branch)* {$p = $f $(, if $c)? => $h,}) $($rest)*)
    };
    (@read $all:tt ($($branch:tt)*) $p:pat = $f:expr $(, if $c:expr)? => $h:block $($rest:tt)*) => {
        $crate::select!(@read $all ($($branch)* {$p = $f $(, if $c)? => $h,}) $($rest)*)
    };
    (@read $all:tt ($($branch:tt)*) $p:pat = $f:expr $(, if $c:expr)? => $h:expr) => {
        $crate::select!(@read $all ($($branch)* {$p = $f $(, if $c)? => { $h },}))
    };
    (@read $all:tt ($($branch:tt)*) $p:pat = $f:expr $(, if $c:expr)? => $h:expr, $($rest:tt)*) => {
        $crate::select!(@read $all ($($branch)* {$p = $f $(, if $c)? => { $h },}) $($rest)*)
    };
    (@choose {$($all:tt)*} $else:tt ($($branch:tt)+)) => {
        match $crate::__private::first_of([$(::core::stringify!($branch)),+].len()) {
            ::core::option::Option::None => $crate::__private::tokio::select! { $($all)* },
            ::core::option::Option::Some(first) => {
                $crate::select!(@turn first $else ($($branch)+) ($($branch)+))
            }
        }
    };
    // The last turn that there is.
    (@turn $first:ident ($($else:tt)*) ($({$($branch:tt)*})+) ($last:tt)) => {
        $crate::__private::tokio::select! { biased; $($($branch)*)+ $($else)* }
    };
    // The branches as they are, or turned by one.
    (@turn $first:ident ($($else:tt)*) ({$($one:tt)*} $({$($branch:tt)*})*) ($turn:tt $($left:tt)+)) => {
        if $first == 0 {
            $crate::__private::tokio::select! { biased; $($one)* $($($branch)*)* $($else)* }
        } else {
            let $first = $first - 1;
            $crate::select!(@turn $first ($($else)*) ($({$($branch)*})* {$($one)*}) ($($left)+))
        }
    };
    (biased; $($all:tt)*) => {
        $crate::__private::tokio::select! { biased; $($all)* }
    };
    ($($all:tt)*) => {
        $crate::select!(@read {$($all)*} () $($all)*)
    };
}
