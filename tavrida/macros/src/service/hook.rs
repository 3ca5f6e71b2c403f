//! A method that is middleware.

use proc_macro2::Ident;
use syn::{Attribute, Error, Result};

use super::mark::{Kind, Mark, Target};
use super::method::Method;

pub(super) struct Hook {
    pub(super) is_incoming: bool,
    /// The kinds that outgoing middleware sees, if they are given.
    pub(super) kinds: Vec<Ident>,
    pub(super) name: Ident,
    pub(super) takes_self: bool,
    pub(super) conditions: Vec<Attribute>,
    pub(super) doc: Option<String>,
}

const INCOMING: &str = "`async fn NAME(&self, message: Message, next: Next) -> Result<Reply>`, with `tavrida::message::{Message, Reply}` \
                        and `tavrida::middleware::Next`";
const OUTGOING: &str =
    "`async fn NAME(&self, message: Message) -> Result<Message>`, with `tavrida::message::Message`";

impl Hook {
    pub(super) fn read(mark: Mark, method: &Method) -> Result<Self> {
        let is_incoming = mark.kind == Kind::Incoming;
        let (arguments, signature) = if is_incoming { (2, INCOMING) } else { (1, OUTGOING) };
        if method.arguments.len() != arguments {
            let text = format!(
                "{} middleware is {}",
                mark.kind.word(),
                signature.replace("NAME", &method.name.to_string())
            );
            return Err(Error::new(method.name.span(), text));
        }
        let kinds = match mark.target {
            Target::Kinds(kinds) => kinds,
            _ => Vec::new(),
        };
        Ok(Self {
            is_incoming,
            kinds,
            name: method.name.clone(),
            takes_self: method.takes_self,
            conditions: method.conditions.clone(),
            doc: method.doc.clone(),
        })
    }
}
