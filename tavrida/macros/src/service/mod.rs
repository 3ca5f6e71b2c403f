//! `#[service("name")]`: an impl block whose marked methods are handlers.

mod argument;
mod arguments;
mod check;
mod handler;
mod hook;
mod mark;
mod method;
mod returned;
mod suggestion;
mod write;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, ImplItem, ItemImpl, Result};

use arguments::Arguments;
use handler::Handler;
use hook::Hook;
use mark::{Kind, Mark};
use method::Method;

/// A service as parsed.
struct Service {
    arguments: Arguments,
    block: ItemImpl,
    handlers: Vec<Handler>,
    hooks: Vec<Hook>,
}

/// Returns the impl block without the marks, and the method that creates the service. After errors it still generates both as far as
/// possible, so that each mistake is reported once, without follow-up errors.
pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let Some(mut service) = read(arguments, &item, &mut errors) else {
        let errors = errors.written();
        return quote!(#item #errors);
    };
    service.take_marked_methods(&mut errors);
    check::service(&mut service, &mut errors);
    let (block, written, errors) = (&service.block, write::service(&service), errors.written());
    quote!(#block #written #errors)
}

fn read(arguments: TokenStream, item: &TokenStream, errors: &mut Errors) -> Option<Service> {
    let block = errors.keep(impl_block(item.clone()))?;
    let arguments = errors.keep(Arguments::read(arguments)).unwrap_or_else(Arguments::unknown);
    Some(Service { arguments, block, handlers: Vec::new(), hooks: Vec::new() })
}

fn impl_block(item: TokenStream) -> Result<ItemImpl> {
    const WRITE: &str = "`#[tavrida::service(\"name\")]` goes above an impl block that holds the handlers: `impl Hello { ... }`";
    let block: ItemImpl = match syn::parse2::<syn::Item>(item.clone()) {
        Ok(syn::Item::Impl(block)) => block,
        Ok(other) => return Err(Error::new_spanned(other, WRITE)),
        Err(error) => return Err(error),
    };
    match &block.trait_ {
        Some((path, _)) => Err(Error::new_spanned(path, format!("this implements a trait; {WRITE}"))),
        None => Ok(block),
    }
}

impl Service {
    /// Removes the marks from the methods of the block, and collects them.
    fn take_marked_methods(&mut self, errors: &mut Errors) {
        for item in &mut self.block.items {
            let ImplItem::Fn(function) = item else { continue };
            let marks = Mark::take_from(&mut function.attrs, errors);
            if marks.is_empty() {
                continue;
            }
            let Some(method) = Method::read(function, errors) else { continue };
            for mark in marks {
                match mark.kind {
                    Kind::Incoming | Kind::Outgoing => {
                        self.hooks.extend(errors.keep(Hook::read(mark, &method)));
                    }
                    _ => self.handlers.extend(errors.keep(Handler::read(mark, &method))),
                }
            }
        }
    }
}

/// The errors so far; all of them are reported.
#[derive(Default)]
pub(crate) struct Errors(Option<Error>);

impl Errors {
    fn add(&mut self, error: Error) {
        match &mut self.0 {
            Some(errors) => errors.combine(error),
            None => self.0 = Some(error),
        }
    }

    fn count(&self) -> usize {
        self.0.iter().flatten().count()
    }

    fn keep<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.add(error)).ok()
    }

    fn written(self) -> Option<TokenStream> {
        self.0.map(|error| error.to_compile_error())
    }
}

#[cfg(test)]
mod tests;
