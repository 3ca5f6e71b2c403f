//! The path of the library in generated code.

use proc_macro2::TokenStream;
use quote::quote;

/// Returns the path given with `crate = ...`, or `::tavrida`.
pub(crate) fn library(given: Option<&syn::Path>) -> TokenStream {
    match given {
        Some(path) => quote!(#path),
        None => quote!(::tavrida),
    }
}
