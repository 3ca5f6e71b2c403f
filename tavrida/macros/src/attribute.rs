//! Arguments of attributes: `"text"` or a type, then `key = value`.

use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Attribute, Expr, ExprLit, Lit, Meta, MetaNameValue, Result, Token};

/// Reads `key = value, ...` to the end.
pub(crate) fn pairs(
    input: ParseStream<'_>,
    mut read: impl FnMut(&Ident, ParseStream<'_>) -> Result<()>,
) -> Result<()> {
    while !input.is_empty() {
        let key = input.call(Ident::parse_any)?;
        input.parse::<Token![=]>()?;
        read(&key, input)?;
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(())
}

/// Returns the name of an attribute that has one word.
pub(crate) fn name(attribute: &Attribute) -> Option<String> {
    attribute.path().get_ident().map(Ident::to_string)
}

/// Returns the text of a doc comment's line.
pub(crate) fn doc_line(attribute: &Attribute) -> Option<String> {
    match &attribute.meta {
        Meta::NameValue(MetaNameValue {
            path,
            value: Expr::Lit(ExprLit { lit: Lit::Str(text), .. }),
            ..
        }) if path.is_ident("doc") => Some(text.value().trim().to_owned()),
        _ => None,
    }
}
