//! The macro of [tavrida-testkit](https://docs.rs/tavrida-testkit), which re-exports it: use it from there.
//!
//! It generates what you would write with the library's `explore`; a wrong use is a compile error that says what to write.

mod options;
mod scenario;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

/// Makes a test of a scenario: it runs under many schedules, in a simulation, and must pass under each.
///
/// ```
/// use tavrida_testkit::fault::Faults;
/// use tavrida_testkit::sim::Sim;
///
/// #[tavrida_testkit::test(schedules = 200, faults = Faults::any())]
/// async fn time_passes(sim: Sim) -> Result<(), String> {
///     sim.advance(std::time::Duration::from_secs(3600)).await;
///     Ok(())
/// }
/// ```
///
/// It generates a plain `#[test]` that explores the scenario:
///
/// ```
/// # use tavrida_testkit::fault::Faults;
/// # use tavrida_testkit::sim::Sim;
/// fn time_passes() {
///     async fn scenario(sim: Sim) -> Result<(), String> {
///         sim.advance(std::time::Duration::from_secs(3600)).await;
///         Ok(())
///     }
///     tavrida_testkit::explore(scenario)
///         .schedules(200)
///         .faults(Faults::any())
///         .source(env!("CARGO_MANIFEST_DIR"), file!(), concat!(module_path!(), "::time_passes"))
///         .check();
/// }
/// ```
///
/// | option | meaning |
/// |---|---|
/// | `schedules = 200` | how many schedules run; the default is 64 |
/// | `policy = Policy::Random` | the policy that makes them; the default is `Policy::Portfolio` |
/// | `faults = Faults::any()` | the faults that may happen at random; the default is none |
/// | `threads = 2` | how many threads run them; the result does not depend on it |
/// | `horizon = Duration::from_secs(60)` | the limit of a run, in virtual time; the default is one hour |
/// | `reaches = ["sold out"]` | [marks](https://docs.rs/tavrida/latest/tavrida/mark/) that must be reached in some schedule |
/// | `live = "AMQP_URL"` | also runs the scenario on a RabbitMQ, if this environment variable has its address |
/// | `crate = other::path` | the path of tavrida-testkit, if it is not `::tavrida_testkit` |
///
/// The scenario returns nothing or a `Result`. Attributes of the function stay on the test: `#[ignore]`, `#[should_panic]`, lints. Failed
/// schedules are stored beside the source file, in `<file>.<test>.tavrida-regressions`, and run first from then on; a `#[should_panic]`
/// test does not store them.
#[proc_macro_attribute]
pub fn test(options: TokenStream, item: TokenStream) -> TokenStream {
    scenario::expand(options.into(), item.into()).into()
}
