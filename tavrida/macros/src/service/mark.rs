//! The attributes that make a method a handler.

use proc_macro2::{Ident, Span};
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Attribute, Error, LitStr, Meta, Result, Type};

use super::{Errors, suggestion};
use crate::{address, attribute};

/// What an attribute makes of a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Rpc,
    Response,
    Error,
    Subscribe,
    Incoming,
    Outgoing,
}

impl Kind {
    pub(super) const ALL: [Self; 6] =
        [Self::Rpc, Self::Response, Self::Error, Self::Subscribe, Self::Incoming, Self::Outgoing];

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Rpc => "rpc",
            Self::Response => "response",
            Self::Error => "error",
            Self::Subscribe => "subscribe",
            Self::Incoming => "incoming",
            Self::Outgoing => "outgoing",
        }
    }

    /// Returns an example of its attribute.
    pub(super) fn example(self) -> &'static str {
        match self {
            Self::Rpc => "`#[rpc]`, `#[rpc(\"method\")]` or, by a contract, `#[rpc(Charge)]`",
            Self::Response => "`#[response(\"service.method\")]` or, by a contract, `#[response(Charge)]`",
            Self::Error => "`#[error(\"service.method\")]` or, by a contract, `#[error(Charge)]`",
            Self::Subscribe => "`#[subscribe(\"publisher.event\")]` or, by a contract, `#[subscribe(Low)]`",
            Self::Incoming => "`#[incoming]`",
            Self::Outgoing => {
                "`#[outgoing]` or, for the kinds that are named, `#[outgoing(request, notification)]`"
            }
        }
    }
}

/// One attribute.
pub(super) struct Mark {
    pub(super) kind: Kind,
    pub(super) target: Target,
    pub(super) span: Span,
}

/// The argument of the attribute.
pub(super) enum Target {
    None,
    Text(LitStr),
    Contract(Box<Type>),
    Kinds(Vec<Ident>),
}

impl Mark {
    /// Removes the marks from the attributes of a method. Returns them.
    pub(super) fn take_from(attributes: &mut Vec<Attribute>, errors: &mut Errors) -> Vec<Self> {
        let mut marks = Vec::new();
        attributes.retain(|attribute| {
            let Some(name) = attribute::name(attribute) else { return true };
            match Kind::ALL.into_iter().find(|kind| kind.word() == name) {
                Some(kind) => marks.extend(errors.keep(Self::read(kind, attribute))),
                None => match suggestion::for_method(&name) {
                    Some(meant) => {
                        let text = format!("unknown attribute `#[{name}]`: write {}", meant.example());
                        errors.add(Error::new(attribute.path().span(), text));
                    }
                    None => return true,
                },
            }
            false
        });
        marks
    }

    fn read(kind: Kind, attribute: &Attribute) -> Result<Self> {
        let wrong = |error: Error| Error::new(error.span(), format!("write {}", kind.example()));
        let target = match &attribute.meta {
            Meta::Path(_) => Target::None,
            Meta::NameValue(pair) => return Err(wrong(Error::new(pair.span(), ""))),
            Meta::List(list) if kind == Kind::Outgoing => {
                let kinds = list.parse_args_with(Kinds::parse).map_err(wrong)?;
                Target::Kinds(kinds.0)
            }
            Meta::List(list) => list.parse_args().map_err(wrong)?,
        };
        let span = attribute.path().span();
        check(kind, &target, span)?;
        Ok(Self { kind, target, span })
    }
}

fn check(kind: Kind, target: &Target, span: Span) -> Result<()> {
    match (kind, target) {
        (Kind::Response, Target::None) => {
            Err(Error::new(span, format!("say whose responses: write {}", kind.example())))
        }
        (Kind::Error, Target::None) => {
            Err(Error::new(span, format!("say whose errors: write {}", kind.example())))
        }
        (Kind::Subscribe, Target::None) => {
            Err(Error::new(span, format!("say whose notifications: write {}", kind.example())))
        }
        (Kind::Incoming, Target::Text(_) | Target::Contract(_)) => Err(Error::new(
            span,
            "middleware sees all messages: write `#[incoming]`, and look at the message's kind inside",
        )),
        (Kind::Rpc, Target::Text(text)) if !text.value().contains('.') => {
            address::service(text).map_err(|_| {
                Error::new(
                    text.span(),
                    format!("\"{}\" is no name of a method: write {}", text.value(), kind.example()),
                )
            })
        }
        (Kind::Subscribe, Target::Text(text)) => address::topics(text, kind.example()),
        (_, Target::Text(text)) => address::method(text, kind.example()),
        _ => Ok(()),
    }
}

impl Parse for Target {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let target = match input.peek(LitStr) {
            true => Self::Text(input.parse()?),
            false => Self::Contract(Box::new(input.parse()?)),
        };
        if input.is_empty() { Ok(target) } else { Err(input.error("more than one")) }
    }
}

/// `request, notification`.
struct Kinds(Vec<Ident>);

impl Parse for Kinds {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let kinds = input.parse_terminated(Ident::parse, syn::Token![,])?;
        for kind in &kinds {
            if !["request", "response", "error", "notification"].contains(&kind.to_string().as_str()) {
                return Err(Error::new(kind.span(), "no kind"));
            }
        }
        Ok(Self(kinds.into_iter().collect()))
    }
}

impl Target {
    /// Returns the same key for the same target, as far as texts show.
    pub(super) fn key(&self, method: &Ident) -> String {
        match self {
            Self::Text(text) => text.value(),
            Self::Contract(ty) => quote!(#ty).to_token_stream().to_string(),
            Self::None | Self::Kinds(_) => method.to_string(),
        }
    }
}
