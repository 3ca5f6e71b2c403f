//! The return type of a handler, as far as its text shows.

use quote::quote;
use syn::{Error, GenericArgument, PathArguments, Result, ReturnType, Type, TypePath};

use super::argument::last_part;
use super::handler::Handler;
use super::mark::{Kind, Target};
use crate::contract::is_plain;

/// A return type, by its text.
pub(super) enum Returned<'a> {
    /// Nothing, or a `Result<()>`.
    Nothing,
    /// A value.
    Value(&'a Type),
    /// A `Result` with a value.
    Fallible(&'a Type),
    /// An alias, possibly of one of these.
    Unknown,
}

impl<'a> Returned<'a> {
    pub(super) fn of(output: &'a ReturnType) -> Self {
        let ReturnType::Type(_, ty) = output else { return Self::Nothing };
        let inner = if last_part(ty).as_deref() == Some("Result") { type_arguments(ty) } else { Vec::new() };
        match (inner.as_slice(), &**ty) {
            ([inner], _) if is_unit(inner) => Self::Nothing,
            ([inner, ..], _) => Self::Fallible(inner),
            ([], ty) if is_unit(ty) => Self::Nothing,
            ([], ty) if last_part(ty).is_some_and(|name| name.ends_with("Result")) => Self::Unknown,
            ([], ty) => Self::Value(ty),
        }
    }
}

fn is_unit(ty: &Type) -> bool {
    matches!(ty, Type::Tuple(tuple) if tuple.elems.is_empty())
}

/// Returns the types in the angle brackets of a path's last part.
fn type_arguments(ty: &Type) -> Vec<&Type> {
    let Type::Path(TypePath { path, .. }) = ty else { return Vec::new() };
    match path.segments.last().map(|last| &last.arguments) {
        Some(PathArguments::AngleBracketed(arguments)) => {
            let types = arguments.args.iter().filter_map(|argument| match argument {
                GenericArgument::Type(ty) => Some(ty),
                _ => None,
            });
            types.collect()
        }
        _ => Vec::new(),
    }
}

/// Rejects return types that cannot be correct.
pub(super) fn check(handler: &Handler) -> Result<()> {
    let value = match Returned::of(&handler.output) {
        Returned::Nothing | Returned::Unknown => return Ok(()),
        Returned::Value(ty) | Returned::Fallible(ty) => ty,
    };
    let refuse = |text: String| Err(Error::new_spanned(value, text));
    let name = last_part(value).unwrap_or_default();
    let takes_reply = handler.known().any(|(name, _)| name == "Responder");
    match handler.kind {
        Kind::Rpc if name == "Answered" => match takes_reply {
            true => Ok(()),
            false => {
                refuse("only a `Responder` makes an `Answered`: take one, `reply: Responder`".to_owned())
            }
        },
        Kind::Rpc if takes_reply => {
            let or_nothing =
                if matches!(handler.target, Target::Contract(_)) { "" } else { ", or `Result<()>`" };
            refuse(format!(
                "a handler that takes a `Responder` answers with it, and once: return `Result<Answered>`{or_nothing}"
            ))
        }
        Kind::Rpc => {
            borrowed(value)?;
            if is_plain(value) {
                let ty = quote!(#value).to_string();
                return refuse(format!(
                    "a reply is a JSON object, and `{ty}` is none: return a struct that is `Serialize`, or `serde_json::json!({{ \"name\": \
                     value }})` as a `serde_json::Value`"
                ));
            }
            Ok(())
        }
        _ if is_unit(value) => Ok(()),
        kind => refuse(format!(
            "nobody gets what a `#[{}]` handler returns: return `Result<()>`, or nothing; to answer a call of long ago, take a `Responder`",
            kind.word()
        )),
    }
}

fn borrowed(value: &Type) -> Result<()> {
    match value {
        Type::Reference(_) if !is_plain(value) => Err(Error::new_spanned(
            value,
            "a reply outlives the handler: return a value that owns what it holds",
        )),
        _ => Ok(()),
    }
}
