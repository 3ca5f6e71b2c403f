//! The macro of [tavrida-testkit](https://docs.rs/tavrida-testkit), which re-exports it: use it from there.
//!
//! It writes what a person would write with the library's `check`, and no more; a wrong use is an error that says what to write.

mod options;
mod scenario;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

/// Makes a test of a scenario: it is tried by many schedules, in a simulation, and must pass by each.
///
/// ```
/// use tavrida_testkit::fault::Faults;
/// use tavrida_testkit::sim::Sim;
///
/// #[tavrida_testkit::test(seeds = 200, faults = Faults::any())]
/// async fn time_passes(sim: Sim) -> Result<(), String> {
///     sim.advance(std::time::Duration::from_secs(3600)).await;
///     Ok(())
/// }
/// ```
///
/// What it writes is a plain `#[test]` that calls a function:
///
/// ```
/// # use tavrida_testkit::fault::Faults;
/// # use tavrida_testkit::sim::Sim;
/// fn time_passes() {
///     async fn scenario(sim: Sim) -> Result<(), String> {
///         sim.advance(std::time::Duration::from_secs(3600)).await;
///         Ok(())
///     }
///     tavrida_testkit::check(
///         concat!(module_path!(), "::time_passes"),
///         tavrida_testkit::Options::new()
///             .seeds(200)
///             .faults(Faults::any())
///             .source(env!("CARGO_MANIFEST_DIR"), file!()),
///         scenario,
///     );
/// }
/// ```
///
/// | option | is |
/// |---|---|
/// | `seeds = 200` | how many schedules are tried; 64 unless said otherwise |
/// | `policy = Policy::Random` | how they are made up; `Policy::Portfolio` unless said otherwise |
/// | `faults = Faults::any()` | what may go wrong at random; nothing unless said otherwise |
/// | `threads = 2` | how many threads try them; what is found does not depend on it |
/// | `horizon = Duration::from_secs(60)` | how long a run may take, in virtual time; an hour unless said otherwise |
/// | `live = "AMQP_URL"` | runs the scenario on a RabbitMQ as well, if this variable of the environment has its address |
/// | `crate = other::path` | the path of tavrida-testkit, where it is not `::tavrida_testkit` |
///
/// The scenario returns nothing or a `Result`. Attributes of the function stay on the test: `#[ignore]`, `#[should_panic]`, lints.
/// Schedules that failed are kept beside the source file, in `<file>.<test>.tavrida-regressions`, and tried first from then on; not where
/// the test `#[should_panic]`.
#[proc_macro_attribute]
pub fn test(options: TokenStream, item: TokenStream) -> TokenStream {
    scenario::expand(options.into(), item.into()).into()
}
