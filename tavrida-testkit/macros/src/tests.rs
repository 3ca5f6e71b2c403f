//! What the macro generates for a scenario.

use quote::quote;

use crate::scenario::expand;

#[test]
fn what_is_written_is_what_a_person_would_write() {
    let scenario = quote! {
        /// It holds.
        #[ignore = "slow"]
        pub(crate) async fn it_holds(sim: Sim) -> Result<()> { Ok(()) }
    };
    let written = quote! {
        /// It holds.
        #[ignore = "slow"]
        #[::core::prelude::v1::test]
        pub(crate) fn it_holds() {
            async fn scenario(sim: Sim) -> Result<()> { Ok(()) }
            ::tavrida_testkit::explore(scenario)
                .schedules(8)
                .live("AMQP_URL")
                .source(
                    ::core::env!("CARGO_MANIFEST_DIR"),
                    ::core::file!(),
                    ::core::concat!(::core::module_path!(), "::it_holds"),
                )
                .check();
        }
    };
    assert_eq!(expand(quote!(schedules = 8, live = "AMQP_URL"), scenario).to_string(), written.to_string());
}

#[test]
fn a_test_that_is_to_fail_keeps_no_schedules() {
    let written = expand(
        quote!(crate = kit),
        quote!(
            #[should_panic]
            async fn it_fails(_: Sim) {}
        ),
    )
    .to_string();
    assert!(written.contains("kit :: explore") && !written.contains("source"), "{written}");
}

#[test]
fn with_mistakes_the_function_is_still_there() {
    let written = expand(
        quote!(seed = 8),
        quote!(
            #[tokio::test]
            async fn it_holds() {}
        ),
    )
    .to_string();
    assert!(written.contains("async fn it_holds") && !written.contains("tokio :: test"), "{written}");
    assert_eq!(written.matches("compile_error").count(), 2, "{written}");
}
