//! `#[test] async fn name(sim: Sim)`: a scenario, and the test that runs it.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Attribute, Error, FnArg, ItemFn, Result};

use crate::options::Options;

/// Generates the test. After an error it still generates the function, to avoid follow-up errors.
pub(crate) fn expand(options: TokenStream, item: TokenStream) -> TokenStream {
    let function = match function(item.clone()) {
        Ok(function) => function,
        Err(error) => {
            let error = error.to_compile_error();
            return quote!(#item #error);
        }
    };
    let options = syn::parse2::<Options>(options);
    match (options, check(&function)) {
        (Ok(options), Ok(())) => write(&options, function),
        (options, checked) => {
            let errors = [options.err(), checked.err()].into_iter().flatten().map(Error::into_compile_error);
            let function = ItemFn { attrs: Vec::new(), ..function };
            quote!(#[allow(dead_code)] #function #(#errors)*)
        }
    }
}

fn function(item: TokenStream) -> Result<ItemFn> {
    const WRITE: &str =
        "`#[tavrida_testkit::test]` goes above a scenario: `async fn it_holds(sim: Sim) { ... }`";
    match syn::parse2::<syn::Item>(item) {
        Ok(syn::Item::Fn(function)) => Ok(function),
        Ok(other) => Err(Error::new_spanned(other, WRITE)),
        Err(error) => Err(error),
    }
}

/// Reports the first mistake in a scenario.
fn check(function: &ItemFn) -> Result<()> {
    let (signature, name) = (&function.sig, &function.sig.ident);
    if let Some(other) = function.attrs.iter().find(|attribute| is_test(attribute)) {
        let text = "a second test attribute: this one makes the function a test already, and a simulation has a runtime of its own: \
                    leave the other out";
        return Err(Error::new_spanned(other, text));
    }
    if signature.asyncness.is_none() {
        let text = format!("a scenario is async: write `async fn {name}`");
        return Err(Error::new(signature.fn_token.span, text));
    }
    if !signature.generics.params.is_empty() {
        let text = "a test has no generics, as nobody would say what they are";
        return Err(Error::new_spanned(&signature.generics, text));
    }
    let text =
        format!("a scenario takes the simulation, and nothing else: write `async fn {name}(sim: Sim)`");
    match signature.inputs.iter().collect::<Vec<_>>()[..] {
        [FnArg::Typed(_)] => Ok(()),
        [] => Err(Error::new_spanned(name, text)),
        _ => Err(Error::new_spanned(&signature.inputs, text)),
    }
}

/// `#[test]`, `#[tokio::test]` and the like.
fn is_test(attribute: &Attribute) -> bool {
    attribute.path().segments.last().is_some_and(|last| last.ident == "test")
}

fn write(options: &Options, function: ItemFn) -> TokenStream {
    let ItemFn { attrs, vis, sig, block, .. } = function;
    let (name, library, calls) = (&sig.ident, options.library(), options.calls());
    let path = format!("::{name}");
    // A test that must fail stores no schedules.
    let source = match attrs.iter().any(|attribute| attribute.path().is_ident("should_panic")) {
        true => TokenStream::new(),
        false => quote! {
            .source(
                ::core::env!("CARGO_MANIFEST_DIR"),
                ::core::file!(),
                ::core::concat!(::core::module_path!(), #path),
            )
        },
    };
    let mut scenario = sig.clone();
    scenario.ident = format_ident!("scenario", span = name.span());
    quote! {
        #(#attrs)*
        #[::core::prelude::v1::test]
        #vis fn #name() {
            #scenario #block
            #library::explore(scenario) #calls #source .check();
        }
    }
}
