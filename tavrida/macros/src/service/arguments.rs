//! The arguments of `#[service(...)]`.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, LitStr, Path, Result, Token, Type, bracketed, token};

use crate::{address, attribute, path};

const WRITE: &str = "name the service: `#[tavrida::service(\"test_hello\")]`";

pub(super) struct Arguments {
    pub(super) name: Name,
    /// The events that the service publishes.
    pub(super) emits: Vec<Emitted>,
    /// The path of the library.
    pub(super) library: TokenStream,
}

/// An event by its name, or its type.
pub(super) enum Emitted {
    Name(LitStr),
    Contract(Box<Type>),
}

/// A text, or the path of a constant.
pub(super) enum Name {
    Text(LitStr),
    Constant(Path),
}

impl Arguments {
    pub(super) fn read(arguments: TokenStream) -> Result<Self> {
        if arguments.is_empty() {
            return Err(Error::new(proc_macro2::Span::call_site(), WRITE));
        }
        syn::parse2(arguments)
    }
}

impl Arguments {
    /// Returns a placeholder for a name that could not be parsed, so that the rest can be generated.
    pub(super) fn unknown() -> Self {
        let name = Name::Text(LitStr::new("unknown", proc_macro2::Span::call_site()));
        Self { name, emits: Vec::new(), library: path::library(None) }
    }
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let name = input.parse()?;
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
        let (mut library, mut emits) = (None, Vec::new());
        attribute::pairs(input, |key, input| match key.to_string().as_str() {
            "crate" => {
                library = Some(input.parse()?);
                Ok(())
            }
            "emits" => {
                emits = events(input)?;
                Ok(())
            }
            other => Err(Error::new(
                key.span(),
                format!("unknown `{other}`: beside the name there are `emits` and `crate`"),
            )),
        })?;
        Ok(Self { name, emits, library: path::library(library.as_ref()) })
    }
}

/// Reads `[Charged, "noted"]`.
fn events(input: ParseStream<'_>) -> Result<Vec<Emitted>> {
    const WRITE: &str = "list what the service publishes, types and names: `emits = [Charged, \"noted\"]`";
    if !input.peek(token::Bracket) {
        return Err(input.error(WRITE));
    }
    let list;
    bracketed!(list in input);
    let events = Punctuated::<Emitted, Token![,]>::parse_terminated(&list);
    Ok(events?.into_iter().collect())
}

impl Parse for Emitted {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if !input.peek(LitStr) {
            return Ok(Self::Contract(Box::new(input.parse()?)));
        }
        let name: LitStr = input.parse()?;
        address::event(&name)?;
        Ok(Self::Name(name))
    }
}

impl Parse for Name {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if input.peek(LitStr) {
            let text: LitStr = input.parse()?;
            address::service(&text)?;
            return Ok(Self::Text(text));
        }
        match input.call(Path::parse_mod_style) {
            Ok(path) if !input.peek(Token![=]) => Ok(Self::Constant(path)),
            Ok(path) => Err(Error::new_spanned(path, WRITE)),
            Err(error) => Err(Error::new(error.span(), WRITE)),
        }
    }
}

impl ToTokens for Name {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(match self {
            Self::Text(text) => quote!(#text),
            Self::Constant(path) => quote!(#path),
        });
    }
}

impl Name {
    /// Returns the name for people.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Text(text) => format!("`{}`", text.value()),
            Self::Constant(path) => format!("`{}`", quote!(#path)),
        }
    }
}
