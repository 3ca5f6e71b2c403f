//! A marked method: the relevant parts of its signature.

use proc_macro2::Ident;
use syn::spanned::Spanned;
use syn::{Attribute, Error, FnArg, ImplItemFn, Receiver, ReceiverKind, Result, ReturnType};

use super::Errors;
use super::argument::Argument;
use crate::attribute;

pub(super) struct Method {
    pub(super) name: Ident,
    pub(super) takes_self: bool,
    pub(super) arguments: Vec<Argument>,
    pub(super) output: ReturnType,
    /// The `cfg` conditions of the method.
    pub(super) conditions: Vec<Attribute>,
    /// The first line of its documentation.
    pub(super) doc: Option<String>,
}

impl Method {
    /// Reads a method, and removes this macro's attributes from its arguments. `None` if it cannot be a handler.
    pub(super) fn read(function: &mut ImplItemFn, errors: &mut Errors) -> Option<Self> {
        let flaws_before = errors.count();
        let signature = &mut function.sig;
        let name = signature.ident.clone();
        if signature.asyncness.is_none() {
            let text = format!("a handler is async: write `async fn {name}`");
            errors.add(Error::new(signature.fn_token.span, text));
        }
        if !signature.generics.params.is_empty() {
            let text = "a handler has no generics of its own, as nobody would say what they are: put them on the impl block";
            errors.add(Error::new_spanned(&signature.generics, text));
        }
        let mut takes_self = false;
        let mut arguments = Vec::new();
        for (place, input) in signature.inputs.iter_mut().enumerate() {
            match input {
                FnArg::Receiver(receiver) => {
                    takes_self = true;
                    errors.keep(check_receiver(receiver));
                }
                FnArg::Typed(argument) => arguments.extend(errors.keep(Argument::read(place, argument))),
            }
        }
        (errors.count() == flaws_before).then(|| Self {
            name,
            takes_self,
            arguments,
            output: signature.output.clone(),
            conditions: function
                .attrs
                .iter()
                .filter(|attribute| attribute.path().is_ident("cfg"))
                .cloned()
                .collect(),
            doc: function.attrs.iter().find_map(attribute::doc_line).filter(|line| !line.is_empty()),
        })
    }
}

fn check_receiver(receiver: &Receiver) -> Result<()> {
    match &receiver.kind {
        ReceiverKind::Reference(_, _, None) => Ok(()),
        ReceiverKind::Reference(_, _, Some(mutable)) => Err(Error::new(
            mutable.span,
            "handlers run side by side: take `&self`, and put what changes behind a lock, such as a `Mutex`",
        )),
        _ => Err(Error::new(receiver.span(), "a handler is called many times: take `&self`")),
    }
}
