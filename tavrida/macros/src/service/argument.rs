//! An argument of a handler: an extractor, or a parameter from the payload.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, Error, LitStr, Meta, Pat, PatType, Result, Type, TypePath};

use super::suggestion;
use crate::attribute;

pub(super) struct Argument {
    /// Its name in generated code.
    pub(super) name: Ident,
    pub(super) ty: Type,
    pub(super) source: Source,
    pub(super) span: Span,
}

/// The source of its value.
pub(super) enum Source {
    /// An extractor that is known by its name.
    Known,
    /// An extractor marked `#[extract]`.
    Marked,
    Payload {
        /// Its name in the payload. `None` if the pattern is not a plain name.
        name: Option<String>,
        default: Option<Default>,
    },
}

/// The value of a missing parameter.
pub(super) enum Default {
    OfType,
    Value(TokenStream),
}

/// The extractors that are recognised by the last part of their type's path.
const EXTRACTORS: [&str; 13] = [
    "Request",
    "Response",
    "ErrorReply",
    "Notification",
    "Message",
    "Proxy",
    "Context",
    "Headers",
    "Json",
    "State",
    "Attempt",
    "Deadline",
    "Responder",
];

impl Argument {
    pub(super) fn read(place: usize, argument: &mut PatType) -> Result<Self> {
        let mut marks = Marks::default();
        let mut flaw = None;
        argument.attrs.retain(|attribute| match marks.read(attribute) {
            Ok(is_ours) => !is_ours,
            Err(error) => {
                flaw.get_or_insert(error);
                false
            }
        });
        if let Some(error) = flaw {
            return Err(error);
        }
        let plain = match &*argument.pat {
            Pat::Ident(pattern) if pattern.subpat.is_none() => Some(&pattern.ident),
            _ => None,
        };
        let source = marks.source(plain, argument)?;
        let name = plain.cloned().unwrap_or_else(|| format_ident!("argument_{place}"));
        // Where the compiler points if the type does not fit.
        let span = argument.ty.span();
        Ok(Self { name, ty: Type::clone(&argument.ty), source, span })
    }

    pub(super) fn is_extractor(&self) -> bool {
        !matches!(self.source, Source::Payload { .. })
    }
}

/// The attributes of an argument.
#[derive(Default)]
struct Marks {
    extract: Option<Span>,
    default: Option<(Span, Default)>,
    param: Option<LitStr>,
}

impl Marks {
    /// Reads one attribute. Returns whether it belongs to this macro.
    fn read(&mut self, attribute: &Attribute) -> Result<bool> {
        let span = attribute.path().span();
        let Some(name) = attribute::name(attribute) else { return Ok(false) };
        match (name.as_str(), &attribute.meta) {
            ("extract", Meta::Path(_)) => self.extract = Some(span),
            ("default", Meta::Path(_)) => self.default = Some((span, Default::OfType)),
            ("default", Meta::List(list)) => self.default = Some((span, Default::Value(list.tokens.clone()))),
            ("param", Meta::List(list)) if syn::parse2::<LitStr>(list.tokens.clone()).is_ok() => {
                self.param = Some(list.parse_args()?);
            }
            ("extract", _) => return Err(Error::new(span, "write `#[extract]`")),
            ("default", _) => {
                return Err(Error::new(span, "write `#[default]`, or `#[default(10)]` with the value"));
            }
            ("param", _) => {
                return Err(Error::new(span, "write `#[param(\"name\")]` with the name in the payload"));
            }
            (other, _) => match suggestion::for_argument(other) {
                Some(meant) => {
                    return Err(Error::new(
                        span,
                        format!("unknown attribute `#[{other}]`: did you mean `#[{meant}]`?"),
                    ));
                }
                None => return Ok(false),
            },
        }
        Ok(true)
    }

    fn source(self, plain: Option<&Ident>, argument: &PatType) -> Result<Source> {
        let known = last_part(&argument.ty).filter(|name| EXTRACTORS.contains(&name.as_str()));
        let of_payload =
            self.default.as_ref().map(|(span, _)| *span).or(self.param.as_ref().map(LitStr::span));
        match (self.extract, known, of_payload) {
            (Some(span), _, Some(_)) => Err(Error::new(
                span,
                "an extractor does not come from the payload: write either `#[extract]`, or `#[default]` and `#[param]`",
            )),
            (Some(_), _, None) => Ok(Source::Marked),
            (None, Some(name), Some(span)) => Err(Error::new(
                span,
                format!(
                    "`{name}` is an extractor and does not come from the payload: leave this out, or give the type another name"
                ),
            )),
            (None, Some(_), None) => Ok(Source::Known),
            (None, None, _) => {
                owned(&argument.ty)?;
                let name = self.param.map(|name| name.value()).or_else(|| plain.map(payload_name));
                Ok(Source::Payload { name, default: self.default.map(|(_, default)| default) })
            }
        }
    }
}

/// `_seen` is `seen` in the payload: the underscore only marks an unused argument.
fn payload_name(name: &Ident) -> String {
    let name = name.unraw().to_string();
    match name.trim_start_matches('_') {
        "" => name,
        trimmed => trimmed.to_owned(),
    }
}

/// Returns the last part of a type's path.
pub(super) fn last_part(ty: &Type) -> Option<String> {
    match ty {
        Type::Path(TypePath { path, .. }) => path.segments.last().map(|last| last.ident.to_string()),
        Type::Group(group) => last_part(&group.elem),
        Type::Paren(paren) => last_part(&paren.elem),
        _ => None,
    }
}

/// Rejects types that are not owned values.
fn owned(ty: &Type) -> Result<()> {
    match ty {
        Type::Reference(reference) => {
            let inner = &reference.elem;
            let write = match last_part(inner).as_deref() {
                Some("str") => "String".to_owned(),
                _ => quote!(#inner).to_string(),
            };
            Err(Error::new_spanned(ty, format!("a parameter owns what it holds: write `{write}`")))
        }
        Type::ImplTrait(_) => {
            Err(Error::new_spanned(ty, "a parameter has a type that can be named: write which"))
        }
        _ => Ok(()),
    }
}
