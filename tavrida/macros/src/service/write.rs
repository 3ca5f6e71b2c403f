//! The generated method: calls of the library's builder.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use super::Service;
use super::arguments::Emitted;
use super::check::entry_point;
use super::handler::{Handler, Rest};
use super::hook::Hook;
use super::mark::{Kind, Target};
use super::returned::Returned;

pub(super) fn service(service: &Service) -> TokenStream {
    let library = &service.arguments.library;
    let name = &service.arguments.name;
    let start = match service.hooks.iter().any(|hook| hook.takes_self) {
        true => quote! {
            let this = ::std::sync::Arc::new(self);
            let service = #library::Service::new(#name).shared_state(this.clone());
        },
        false => quote! {
            let service = #library::Service::new(#name).state(self);
        },
    };
    let hooks = service.hooks.iter().map(|hook| middleware(library, hook));
    let handlers = service.handlers.iter().map(|handler| registration(library, handler));
    let emits = service.arguments.emits.iter().map(|event| match event {
        Emitted::Name(name) => quote!(let service = service.publishes(#name);),
        Emitted::Contract(contract) => quote!(let service = service.emits::<#contract>();),
    });
    let docs = docs(service);
    let ty = &service.block.self_ty;
    let (generics, _, bounds) = service.block.generics.split_for_impl();
    quote! {
        impl #generics #ty #bounds {
            #(#[doc = #docs])*
            pub fn into_service(self) -> #library::Service
            where
                Self: ::std::marker::Send + ::std::marker::Sync + 'static,
            {
                #start
                #(#hooks)*
                #(#handlers)*
                #(#emits)*
                service
            }
        }
    }
}

/// Returns a span that the compiler points to, for generated code.
fn at(place: Span) -> Span {
    Span::call_site().located_at(place)
}

fn docs(service: &Service) -> Vec<String> {
    let mut lines = vec![format!(" The service {}.", service.arguments.name.shown()), String::new()];
    let described = |what: String, name: &syn::Ident, doc: &Option<String>| {
        let doc = doc.as_ref().map_or_else(String::new, |doc| format!(": {doc}"));
        format!(" - {what}, by `{}`{doc}", name.unraw())
    };
    for hook in &service.hooks {
        let what = if hook.is_incoming { "middleware around handlers" } else { "middleware before sends" };
        lines.push(described(what.to_owned(), &hook.name, &hook.doc));
    }
    for handler in &service.handlers {
        let what = match handler.kind {
            Kind::Rpc => "answers",
            Kind::Response => "handles responses of",
            Kind::Error => "handles errors of",
            _ => "hears",
        };
        let entry_point = entry_point(&service.arguments.name, handler);
        lines.push(described(format!("{what} `{entry_point}`"), &handler.name, &handler.doc));
    }
    lines.extend(service.arguments.emits.iter().map(|event| match event {
        Emitted::Name(name) => format!(" - publishes `{}`", name.value()),
        Emitted::Contract(contract) => format!(" - publishes `{}`", quote!(#contract)),
    }));
    lines
}

/// Returns one handler's call of the builder.
fn registration(library: &TokenStream, handler: &Handler) -> TokenStream {
    let conditions = &handler.conditions;
    let method = format_ident!("{}", builder_method(handler));
    let closure = closure(library, handler);
    let call = match (&handler.rest, &handler.target) {
        (Rest::Contract { .. }, _) => quote!(#method(#closure)),
        (Rest::Parameters(parameters), target) => {
            let target = match target {
                Target::Text(text) => quote!(#text),
                _ => {
                    let name = handler.name.unraw().to_string();
                    quote!(#name)
                }
            };
            match parameters.is_empty() {
                true => quote!(#method(#target, #closure)),
                false => {
                    let names = parameters.iter().map(|parameter| &parameter.name);
                    quote!(#method(#target, #library::handler::params([#(#names),*], #closure)))
                }
            }
        }
    };
    quote! {
        #(#conditions)*
        let service = service.#call;
    }
}

fn builder_method(handler: &Handler) -> &'static str {
    match (handler.kind, &handler.rest) {
        (Kind::Rpc, Rest::Parameters(_)) => "rpc",
        (Kind::Rpc, Rest::Contract { .. }) => "handle",
        (Kind::Response, Rest::Parameters(_)) => "on_response",
        (Kind::Response, Rest::Contract { .. }) => "handle_answer",
        (Kind::Error, Rest::Parameters(_)) => "on_error",
        (Kind::Error, Rest::Contract { .. }) => "handle_error",
        (_, Rest::Parameters(_)) => "on_notification",
        (_, Rest::Contract { .. }) => "subscribe",
    }
}

/// Returns the function that is registered: it calls the method.
fn closure(library: &TokenStream, handler: &Handler) -> TokenStream {
    let this = this(handler).map(|this| quote!(#this: #library::handler::State<Self>,));
    let extractors = handler.extractors.iter().map(|extractor| {
        let (name, ty) = (&extractor.name, &extractor.ty);
        match extractor.marked {
            true => quote_spanned!(at(extractor.span)=> #name: #library::__private::Extracted<#ty>,),
            false => quote!(#name: #ty,),
        }
    });
    let rest = match &handler.rest {
        Rest::Parameters(parameters) => {
            let parameters = parameters.iter().map(|parameter| {
                let (name, ty) = (&parameter.argument, &parameter.ty);
                match parameter.has_default {
                    true => quote_spanned!(at(parameter.span)=> #name: ::std::option::Option<#library::__private::Param<#ty>>,),
                    false => quote_spanned!(at(parameter.span)=> #name: #library::__private::Param<#ty>,),
                }
            });
            quote!(#(#parameters)*)
        }
        Rest::Contract { contract, name } => {
            let name = name.as_ref().map_or_else(|| quote!(_), |name| quote!(#name));
            match handler.kind {
                Kind::Response => {
                    let answer = quote!(#library::proxy::Answer);
                    quote!(#answer { reply: #name, .. }: #answer<#contract>,)
                }
                Kind::Error => quote!(#name: #library::contract::CallError<#contract>,),
                _ => quote!(#name: #contract,),
            }
        }
    };
    let body = body(library, handler);
    quote_spanned!(at(handler.name.span())=> |#this #(#extractors)* #rest| async move { #body })
}

/// Returns the name of the service in the closure, if the method takes it.
fn this(handler: &Handler) -> Option<Ident> {
    let is_taken = |name: &Ident| name == "this";
    let taken = match &handler.rest {
        Rest::Parameters(parameters) => parameters.iter().any(|parameter| is_taken(&parameter.argument)),
        Rest::Contract { name, .. } => name.as_ref().is_some_and(is_taken),
    } || handler.extractors.iter().any(|extractor| is_taken(&extractor.name));
    handler.takes_self.then(|| if taken { format_ident!("this_service") } else { format_ident!("this") })
}

/// Returns the call, and the conversion of its result to a reply, if that is not obvious.
fn body(library: &TokenStream, handler: &Handler) -> TokenStream {
    let (name, arguments) = (&handler.name, &handler.call);
    let this = this(handler).map(|this| quote!(&#this,));
    let call = quote!(Self::#name(#this #(#arguments),*).await);
    let span = at(match &handler.output {
        syn::ReturnType::Type(_, ty) => ty.span(),
        syn::ReturnType::Default => name.span(),
    });
    match (&handler.rest, handler.kind, Returned::of(&handler.output)) {
        (Rest::Contract { contract, .. }, Kind::Rpc, _) => {
            quote_spanned!(span=> #library::__private::answer::<#contract, _, _>(#call))
        }
        (_, _, Returned::Nothing) => call,
        (_, _, Returned::Fallible(_)) => quote_spanned!(span=> #library::__private::outcome(#call)),
        (_, _, Returned::Value(_) | Returned::Unknown) => {
            quote_spanned!(span=> #library::__private::reply(#call))
        }
    }
}

/// Returns one middleware's call of the builder.
fn middleware(library: &TokenStream, hook: &Hook) -> TokenStream {
    let (conditions, name) = (&hook.conditions, &hook.name);
    let (arguments, method, make) = match hook.is_incoming {
        true => (quote!(message, next), format_ident!("incoming"), format_ident!("from_fn")),
        false => (quote!(message), format_ident!("outgoing"), format_ident!("outgoing_fn")),
    };
    let function = match hook.takes_self {
        true => quote! {{
            let this = this.clone();
            move |#arguments| {
                let this = this.clone();
                async move { Self::#name(&this, #arguments).await }
            }
        }},
        false => quote!(|#arguments| async move { Self::#name(#arguments).await }),
    };
    let kinds = hook.kinds.iter().map(|kind| {
        let variant = match kind.to_string().as_str() {
            "request" => format_ident!("Request"),
            "response" => format_ident!("Response"),
            "error" => format_ident!("Error"),
            _ => format_ident!("Notification"),
        };
        quote!(#library::message::MessageKind::#variant)
    });
    let on = (!hook.kinds.is_empty()).then(|| quote!(.on([#(#kinds),*])));
    quote! {
        #(#conditions)*
        let service = service.#method(#library::middleware::#make(#function) #on);
    }
}
