//! [`select!`](crate::select!): tokio's, except that somebody may say which branch is looked at first.
//!
//! `tokio::select!` looks at its branches from a random one on, and nobody can steer that: where two are ready at once, either of
//! them goes on, and a test that saw the one cannot see it again. `tavrida::select!` is the same, until a simulation
//! [says](choose_by) where to begin.

use std::cell::RefCell;
use std::fmt;

#[doc(hidden)]
pub use ::tokio;

/// Chooses one of so many.
type Chooser = Box<dyn FnMut(usize) -> usize>;

thread_local! {
    static CHOOSER: RefCell<Option<Chooser>> = const { RefCell::new(None) };
}

/// Has the branches of each [`select!`](crate::select!) on this thread looked at from the chosen one on, until what comes back is
/// dropped. `choose` is given how many there are, and gives a number below that; of a greater one the remainder counts.
#[must_use = "the choice lasts until this is dropped"]
pub fn choose_by(choose: impl FnMut(usize) -> usize + 'static) -> Choosing {
    Choosing { before: CHOOSER.replace(Some(Box::new(choose))) }
}

/// While it lives, somebody chooses: see [`choose_by`].
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

/// Where to begin; none where nobody chooses.
#[doc(hidden)]
pub fn first_of(branches: usize) -> Option<usize> {
    CHOOSER.with_borrow_mut(|chooser| chooser.as_mut().map(|choose| choose(branches) % branches))
}

/// Waits for several things, and goes on with the first that is ready: `tokio::select!`, whose syntax it has, except that in a
/// simulation the seed says which branch is looked at first.
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
/// The code of the branches is written once for each place to begin at, and once more for tokio's own choice: keep it short where
/// there are many. With `biased;` it is tokio's, as there is nothing to choose.
///
/// # Cancel safety
///
/// As of `tokio::select!`: what was not ready first is dropped.
#[macro_export]
macro_rules! select {
    // All branches are read: tokio chooses, or somebody does.
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
        match $crate::select::first_of([$(::core::stringify!($branch)),+].len()) {
            ::core::option::Option::None => $crate::select::tokio::select! { $($all)* },
            ::core::option::Option::Some(first) => {
                $crate::select!(@turn first $else ($($branch)+) ($($branch)+))
            }
        }
    };
    // The last turn that there is.
    (@turn $first:ident ($($else:tt)*) ($({$($branch:tt)*})+) ($last:tt)) => {
        $crate::select::tokio::select! { biased; $($($branch)*)+ $($else)* }
    };
    // The branches as they are, or turned by one.
    (@turn $first:ident ($($else:tt)*) ({$($one:tt)*} $({$($branch:tt)*})*) ($turn:tt $($left:tt)+)) => {
        if $first == 0 {
            $crate::select::tokio::select! { biased; $($one)* $($($branch)*)* $($else)* }
        } else {
            let $first = $first - 1;
            $crate::select!(@turn $first ($($else)*) ($({$($branch)*})* {$($one)*}) ($($left)+))
        }
    };
    (biased; $($all:tt)*) => {
        $crate::select::tokio::select! { biased; $($all)* }
    };
    ($($all:tt)*) => {
        $crate::select!(@read {$($all)*} () $($all)*)
    };
}
