//! The options in `#[test(...)]`.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Expr, Path, Result, Token};

/// All options but `crate`, in the order in which they are documented.
const KNOWN: [&str; 7] = ["schedules", "policy", "faults", "threads", "horizon", "reaches", "live"];

#[derive(Default)]
pub(crate) struct Options {
    /// The given options with their values.
    given: Vec<(Ident, Expr)>,
    library: Option<Path>,
}

impl Options {
    /// Returns the path of the library.
    pub(crate) fn library(&self) -> TokenStream {
        match &self.library {
            Some(path) => quote!(#path),
            None => quote!(::tavrida_testkit),
        }
    }

    /// Returns the calls that set them, and the number of schedules in any case: a test runs fewer than a search.
    pub(crate) fn calls(&self) -> TokenStream {
        let calls = self.given.iter().map(|(name, value)| quote!(.#name(#value)));
        let default = self.given.iter().all(|(name, _)| name != "schedules").then(|| quote!(.schedules(64)));
        default.into_iter().chain(calls).collect()
    }
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut options = Self::default();
        while !input.is_empty() {
            let name = input.call(Ident::parse_any).map_err(|error| Error::new(error.span(), written()))?;
            if !input.peek(Token![=]) {
                return Err(Error::new(name.span(), written()));
            }
            input.parse::<Token![=]>()?;
            options.take(name, input)?;
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(options)
    }
}

impl Options {
    fn take(&mut self, name: Ident, input: ParseStream<'_>) -> Result<()> {
        if name == "crate" {
            self.library = Some(input.parse()?);
            return Ok(());
        }
        if !KNOWN.iter().any(|known| name == known) {
            return Err(Error::new(name.span(), format!("unknown `{name}`: there are {}", known())));
        }
        if self.given.iter().any(|(given, _)| *given == name) {
            return Err(Error::new(name.span(), format!("`{name}` is given twice")));
        }
        let value = input.parse::<Expr>()?;
        if name == "live" && !matches!(&value, Expr::Lit(literal) if matches!(literal.lit, syn::Lit::Str(_)))
        {
            let text =
                "name the variable of the environment that has RabbitMQ's address: `live = \"AMQP_URL\"`";
            return Err(Error::new_spanned(value.to_token_stream(), text));
        }
        self.given.push((name, value));
        Ok(())
    }
}

fn known() -> String {
    let known: Vec<String> = KNOWN.iter().map(|name| format!("`{name}`")).collect();
    format!("{} and `crate`", known.join(", "))
}

fn written() -> String {
    format!("options are written as `#[tavrida_testkit::test(schedules = 64)]`; there are {}", known())
}
