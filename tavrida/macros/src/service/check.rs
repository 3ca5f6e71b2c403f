//! Checks of the service as a whole, and of the arguments and return types of its handlers.

use std::collections::BTreeMap;

use proc_macro2::Span;
use syn::Error;

use super::arguments::Name;
use super::handler::Handler;
use super::mark::{Kind, Target};
use super::{Errors, Service, returned};

/// Checks the service, and keeps only handlers that can be generated.
pub(super) fn service(service: &mut Service, errors: &mut Errors) {
    if service.handlers.is_empty() && errors.0.is_none() {
        let text = format!(
            "the service {} has no handler: mark one with {}",
            service.arguments.name.shown(),
            Kind::Rpc.example()
        );
        errors.add(Error::new_spanned(&service.block.self_ty, text));
    }
    duplicates(service, errors);
    service.handlers.retain(|handler| {
        let flaws_before = errors.count();
        messages(handler, errors);
        errors.keep(returned::check(handler));
        errors.count() == flaws_before
    });
}

/// Reports two handlers for the same messages.
fn duplicates(service: &Service, errors: &mut Errors) {
    let mut seen = BTreeMap::new();
    for handler in &service.handlers {
        let key = (handler.kind.word(), entry_point(&service.arguments.name, handler));
        match seen.get(&key) {
            // With `cfg` conditions only one of them may exist.
            Some((_, conditional)) if *conditional || !handler.conditions.is_empty() => {}
            Some((first, _)) => {
                let text = format!(
                    "a second handler of the {}s of `{}`, beside `{first}`: one method handles them all",
                    if handler.kind == Kind::Rpc { "request" } else { key.0 },
                    key.1
                );
                errors.add(Error::new(handler.mark, text));
            }
            None => {
                seen.insert(key, (handler.name.clone(), !handler.conditions.is_empty()));
            }
        }
    }
}

/// Returns what a handler handles, as text.
pub(super) fn entry_point(service: &Name, handler: &Handler) -> String {
    let key = handler.target.key(&handler.name);
    match (&handler.target, service) {
        (Target::Contract(_), _) => key,
        (_, Name::Text(name)) if !key.contains('.') => format!("{}.{key}", name.value()),
        _ => key,
    }
}

/// Reports arguments for kinds of messages that the handler never gets.
fn messages(handler: &Handler, errors: &mut Errors) {
    let (gets, never) = match handler.kind {
        Kind::Rpc => ("Request", ["Response", "ErrorReply", "Notification"]),
        Kind::Response => ("Response", ["Request", "ErrorReply", "Notification"]),
        Kind::Error => ("ErrorReply", ["Request", "Response", "Notification"]),
        _ => ("Notification", ["Request", "Response", "ErrorReply"]),
    };
    let wrong = |name: &str, span: Span| {
        let kind = handler.kind.word();
        Error::new(span, format!("a `#[{kind}]` handler never gets a `{name}`: take `{gets}`"))
    };
    for (name, span) in handler.known() {
        if never.contains(&name.as_str()) {
            errors.add(wrong(&name, span));
        }
        if name == "Responder" && handler.kind == Kind::Subscribe {
            errors.add(Error::new(span, "a notification is never answered: leave the `Responder` out"));
        }
    }
}
