//! `#[derive(Rpc)]` and `#[derive(Event)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::{
    Attribute, Data, DeriveInput, Error, Expr, ExprLit, Field, Fields, Lit, LitStr, Path, Result, Token, Type,
};

use crate::{address, attribute, path};

const RPC: &str = "#[rpc(\"service.method\", reply = Reply, error = Error)]";
const EVENT: &str = "#[event(\"publisher.event\")]";

pub(crate) fn derive_rpc(item: TokenStream) -> TokenStream {
    syn::parse2(item).and_then(|item| rpc(&item)).unwrap_or_else(|error| error.to_compile_error())
}

pub(crate) fn derive_event(item: TokenStream) -> TokenStream {
    syn::parse2(item).and_then(|item| event(&item)).unwrap_or_else(|error| error.to_compile_error())
}

fn rpc(item: &DeriveInput) -> Result<TokenStream> {
    let marked = the_one(item, "rpc", RPC)?;
    let RpcArguments { entry_point, reply, error, class, code, library } = marked.parse_args()?;
    address::method(&entry_point, RPC)?;
    is_an_object(item)?;
    let library = path::library(library.as_ref());
    let reply = reply.map_or_else(|| quote!(()), |reply| quote!(#reply));
    let class = class.map(|class| {
        quote! {
            fn error_class() -> ::std::string::String {
                ::std::string::String::from(#class)
            }
        }
    });
    let code = code.map(|code| {
        let code = match &code {
            Expr::Lit(ExprLit { lit: Lit::Int(_), .. }) => quote!({ let _ = error; #code }),
            function => quote!((#function)(error)),
        };
        quote! {
            fn error_code(error: &Self::Error) -> i64 {
                #code
            }
        }
    });
    let error = error.map_or_else(|| quote!(#library::contract::NoError), |error| quote!(#error));
    let name = &item.ident;
    let (generics, arguments, bounds) = item.generics.split_for_impl();
    let wire = quote!(#library::contract::Wire);
    let more = quote! {
        Self: #wire,
        #reply: #wire,
        #error: #wire + ::std::error::Error + ::std::marker::Sync,
    };
    let bounds = with_bounds(item, bounds, more);
    Ok(quote! {
        impl #generics #library::contract::Rpc for #name #arguments #bounds {
            const ENTRY_POINT: &'static str = #entry_point;
            type Reply = #reply;
            type Error = #error;
            #class
            #code
        }
    })
}

fn event(item: &DeriveInput) -> Result<TokenStream> {
    let marked = the_one(item, "event", EVENT)?;
    let EventArguments { topic, library } = marked.parse_args()?;
    address::method(&topic, EVENT)?;
    is_an_object(item)?;
    let library = path::library(library.as_ref());
    let name = &item.ident;
    let (generics, arguments, bounds) = item.generics.split_for_impl();
    let bounds = with_bounds(item, bounds, quote!(Self: #library::contract::Wire));
    Ok(quote! {
        impl #generics #library::contract::Event for #name #arguments #bounds {
            const TOPIC: &'static str = #topic;
        }
    })
}

/// Returns the bounds of the type; for a generic type also bounds that make all of the contract serialisable: it is a contract wherever
/// they hold.
fn with_bounds(item: &DeriveInput, bounds: Option<&syn::WhereClause>, more: TokenStream) -> TokenStream {
    if item.generics.params.is_empty() {
        return quote!(#bounds);
    }
    let given = bounds.map(|bounds| &bounds.predicates);
    let comma = given.filter(|given| !given.is_empty() && !given.trailing_punct()).map(|_| quote!(,));
    quote!(where #given #comma #more)
}

fn the_one<'a>(item: &'a DeriveInput, name: &str, write: &str) -> Result<&'a Attribute> {
    let mut marked = item.attrs.iter().filter(|attribute| attribute.path().is_ident(name));
    let Some(first) = marked.next() else {
        let text = format!("`{}` does not say what it stands for: write `{write}` above it", item.ident);
        return Err(Error::new(item.ident.span(), text));
    };
    match marked.next() {
        Some(second) => {
            Err(Error::new_spanned(second, format!("a second `#[{name}(...)]`: one says it all, `{write}`")))
        }
        None => match &first.meta {
            syn::Meta::List(_) => Ok(first),
            other => Err(Error::new_spanned(other, format!("write `{write}`"))),
        },
    }
}

struct RpcArguments {
    entry_point: LitStr,
    reply: Option<Type>,
    error: Option<Type>,
    class: Option<LitStr>,
    code: Option<Expr>,
    library: Option<Path>,
}

impl Parse for RpcArguments {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let entry_point = first_text(input, RPC)?;
        let mut arguments =
            Self { entry_point, reply: None, error: None, class: None, code: None, library: None };
        attribute::pairs(input, |key, input| {
            match key.to_string().as_str() {
                "reply" => arguments.reply = Some(input.parse()?),
                "error" => arguments.error = Some(input.parse()?),
                "class" => arguments.class = Some(input.parse()?),
                "code" => arguments.code = Some(input.parse()?),
                "crate" => arguments.library = Some(input.parse()?),
                other => {
                    let text =
                        format!("unknown `{other}`: there are `reply`, `error`, `class`, `code` and `crate`");
                    return Err(Error::new(key.span(), text));
                }
            }
            Ok(())
        })?;
        Ok(arguments)
    }
}

struct EventArguments {
    topic: LitStr,
    library: Option<Path>,
}

impl Parse for EventArguments {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut arguments = Self { topic: first_text(input, EVENT)?, library: None };
        attribute::pairs(input, |key, input| match key.to_string().as_str() {
            "crate" => {
                arguments.library = Some(input.parse()?);
                Ok(())
            }
            other => Err(Error::new(
                key.span(),
                format!("unknown `{other}`: beside the topic there is `crate` only"),
            )),
        })?;
        Ok(arguments)
    }
}

fn first_text(input: ParseStream<'_>, write: &str) -> Result<LitStr> {
    let text = input.parse().map_err(|error: Error| {
        Error::new(error.span(), format!("the address comes first, as a text: `{write}`"))
    })?;
    if !input.is_empty() {
        input.parse::<Token![,]>()?;
    }
    Ok(text)
}

/// Rejects a type that serde cannot serialise as an object, as far as that can be seen.
fn is_an_object(item: &DeriveInput) -> Result<()> {
    match &item.data {
        Data::Union(union) => Err(Error::new(
            union.union_token.span,
            "a union cannot cross the wire: make it a struct with named fields",
        )),
        Data::Struct(data) => match &data.fields {
            Fields::Unnamed(fields) if fields.unnamed.len() > 1 => {
                let text = "a payload is a JSON object, and this is an array: give the fields names";
                Err(Error::new_spanned(fields, text))
            }
            Fields::Unnamed(fields) => match fields.unnamed.first() {
                Some(Field { ty, .. }) if is_plain(ty) => {
                    let text = "a payload is a JSON object, and this is a plain value: give the field a name";
                    Err(Error::new_spanned(fields, text))
                }
                _ => Ok(()),
            },
            Fields::Named(_) | Fields::Unit => Ok(()),
        },
        Data::Enum(_) => Ok(()),
    }
}

/// Returns whether a type is known to serialise to something other than an object.
pub(crate) fn is_plain(ty: &Type) -> bool {
    const PLAIN: [&str; 18] = [
        "bool", "char", "String", "str", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8",
        "u16", "u32", "u64", "u128", "usize",
    ];
    const SEQUENCES: [&str; 4] = ["Vec", "VecDeque", "HashSet", "BTreeSet"];
    match ty {
        Type::Path(path) => path.path.segments.last().is_some_and(|last| {
            let name = last.ident.to_string();
            PLAIN.contains(&name.as_str()) || SEQUENCES.contains(&name.as_str())
        }),
        Type::Reference(reference) => is_plain(&reference.elem),
        Type::Tuple(tuple) => !tuple.elems.is_empty(),
        Type::Array(_) | Type::Slice(_) => true,
        _ => false,
    }
}
