//! A method that handles messages.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::{Attribute, Error, Result, ReturnType, Type};

use super::argument::{Argument, Default, Source};
use super::mark::{Kind, Mark, Target};
use super::method::Method;

pub(super) struct Handler {
    pub(super) kind: Kind,
    pub(super) target: Target,
    pub(super) mark: Span,
    pub(super) name: Ident,
    pub(super) takes_self: bool,
    pub(super) extractors: Vec<Extractor>,
    pub(super) rest: Rest,
    /// The arguments of the call, in the order of the method.
    pub(super) call: Vec<TokenStream>,
    pub(super) output: ReturnType,
    pub(super) conditions: Vec<Attribute>,
    pub(super) doc: Option<String>,
}

pub(super) struct Extractor {
    pub(super) name: Ident,
    pub(super) ty: Type,
    pub(super) marked: bool,
    pub(super) span: Span,
}

/// The arguments after the extractors.
pub(super) enum Rest {
    /// Parameters from the payload.
    Parameters(Vec<Parameter>),
    /// The argument of a contract, with this name.
    Contract { contract: Box<Type>, name: Option<Ident> },
}

pub(super) struct Parameter {
    /// Its name in the payload.
    pub(super) name: String,
    pub(super) argument: Ident,
    pub(super) ty: Type,
    pub(super) has_default: bool,
    pub(super) span: Span,
}

/// The maximum number of arguments of a function with parameters; see `tavrida::handler::params`.
const MOST_EXTRACTORS: usize = 6;
const MOST_PARAMETERS: usize = 8;
/// The maximum number of extractors of one without; see `tavrida::handler::Handler`.
const MOST_EXTRACTORS_ALONE: usize = 8;
/// The maximum number before the argument of a contract; see `tavrida::handler::TypedHandler`.
const MOST_EXTRACTORS_TYPED: usize = 7;

impl Handler {
    pub(super) fn read(mark: Mark, method: &Method) -> Result<Self> {
        let own = usize::from(method.takes_self);
        let extractors: Vec<Extractor> = method.arguments.iter().filter_map(extractor).collect();
        let others: Vec<&Argument> =
            method.arguments.iter().filter(|argument| !argument.is_extractor()).collect();
        let rest = match &mark.target {
            Target::Contract(contract) => handed_over(mark.kind, contract, &others)?,
            _ => Rest::Parameters(others.iter().map(|argument| parameter(argument)).collect::<Result<_>>()?),
        };
        let most = match &rest {
            Rest::Contract { .. } => MOST_EXTRACTORS_TYPED,
            Rest::Parameters(parameters) if parameters.is_empty() => MOST_EXTRACTORS_ALONE,
            Rest::Parameters(_) => MOST_EXTRACTORS,
        };
        if let Some(surplus) = extractors.get(most - own) {
            let text = format!(
                "a handler has at most {} extractors here: bundle some in an extractor of your own",
                most - own
            );
            return Err(Error::new(surplus.span, text));
        }
        if let Rest::Parameters(parameters) = &rest
            && let Some(surplus) = parameters.get(MOST_PARAMETERS)
        {
            let text = format!(
                "a handler has at most {MOST_PARAMETERS} parameters from the payload: take them as one, `Json(all): Json<All>`"
            );
            return Err(Error::new(surplus.span, text));
        }
        Ok(Self {
            kind: mark.kind,
            target: mark.target,
            mark: mark.span,
            name: method.name.clone(),
            takes_self: method.takes_self,
            extractors,
            rest,
            call: method.arguments.iter().map(passed).collect(),
            output: method.output.clone(),
            conditions: method.conditions.clone(),
            doc: method.doc.clone(),
        })
    }

    /// Returns the known extractors among the arguments, with their spans.
    pub(super) fn known(&self) -> impl Iterator<Item = (String, Span)> {
        self.extractors.iter().filter(|extractor| !extractor.marked).filter_map(|extractor| {
            super::argument::last_part(&extractor.ty).map(|name| (name, extractor.span))
        })
    }
}

fn extractor(argument: &Argument) -> Option<Extractor> {
    let marked = match argument.source {
        Source::Known => false,
        Source::Marked => true,
        Source::Payload { .. } => return None,
    };
    Some(Extractor { name: argument.name.clone(), ty: argument.ty.clone(), marked, span: argument.span })
}

fn parameter(argument: &Argument) -> Result<Parameter> {
    let Source::Payload { name, default } = &argument.source else {
        unreachable!("extractors are told apart")
    };
    let Some(name) = name.clone().filter(|name| name != "_") else {
        let text = "a parameter from the payload is known by its name: write a plain name, or give one with `#[param(\"name\")]`; or, \
                    if it is an extractor, write `#[extract]`";
        return Err(Error::new(argument.span, text));
    };
    Ok(Parameter {
        name,
        argument: argument.name.clone(),
        ty: argument.ty.clone(),
        has_default: default.is_some(),
        span: argument.span,
    })
}

/// Returns the one argument that comes from a contract.
fn handed_over(kind: Kind, contract: &Type, others: &[&Argument]) -> Result<Rest> {
    let contract_text = quote!(#contract).to_string();
    let what = match kind {
        Kind::Response => format!("the reply of `{contract_text}`"),
        Kind::Error => format!("a `CallError<{contract_text}>`"),
        _ => format!("the `{contract_text}`"),
    };
    if let Some(second) = others.get(1) {
        let text = format!(
            "a handler of a contract has one argument that is no extractor, {what}: its parts are fields there; mark an extractor of \
             your own with `#[extract]`"
        );
        return Err(Error::new(second.span, text));
    }
    let argument = others.first();
    if let Some(Argument { source: Source::Payload { default: Some(_), .. }, span, .. }) = argument {
        let text = format!("this is {what}, never missing: write `#[serde(default)]` on its fields instead");
        return Err(Error::new(*span, text));
    }
    Ok(Rest::Contract {
        contract: Box::new(contract.clone()),
        name: argument.map(|argument| argument.name.clone()),
    })
}

/// Returns an argument as it is passed to the method.
fn passed(argument: &Argument) -> TokenStream {
    let name = &argument.name;
    match &argument.source {
        Source::Payload { default: Some(Default::OfType), .. } => quote!(#name.unwrap_or_default()),
        Source::Payload { default: Some(Default::Value(value)), .. } => {
            quote!(#name.unwrap_or_else(|| #value))
        }
        _ => quote!(#name),
    }
}
