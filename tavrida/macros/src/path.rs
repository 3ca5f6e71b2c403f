//! The path of the library in what is written.

use proc_macro2::TokenStream;
use quote::quote;

/// The path that was given with `crate = ...`, or `::tavrida`.
pub(crate) fn library(given: Option<&syn::Path>) -> TokenStream {
    match given {
        Some(path) => quote!(#path),
        None => quote!(::tavrida),
    }
}
