//! Texts that are names of services or addresses, checked at compile time.

use syn::{Error, LitStr, Result};

/// The maximum length of a routing key, which an address is, in bytes.
const MAX_LEN: usize = 255;

/// Checks that a text is the name of a service.
pub(crate) fn service(text: &LitStr) -> Result<()> {
    let name = text.value();
    match flaw_of_word(&name) {
        Some(flaw) => Err(Error::new(
            text.span(),
            format!("\"{name}\" is no name of a service: {flaw}; write a word such as \"billing\""),
        )),
        None => Ok(()),
    }
}

/// Checks that a text is `service.method`.
pub(crate) fn method(text: &LitStr, what: &str) -> Result<()> {
    let address = text.value();
    let refuse = |flaw: &str| {
        Err(Error::new(text.span(), format!("\"{address}\" is no address of a method: {flaw}; write {what}")))
    };
    let Some((service, method)) = address.split_once('.') else {
        return refuse("it has no dot");
    };
    if method.starts_with('~') {
        return refuse("a name begins with `~`, as the addresses of askers do");
    }
    match flaw_of_word(service).or_else(|| flaw_of_word(method)) {
        Some(_) if method.contains('.') => refuse("it has more than one dot"),
        Some(flaw) => refuse(flaw),
        None if address.len() > MAX_LEN => refuse("it has over 255 bytes"),
        None => Ok(()),
    }
}

fn flaw_of_word(word: &str) -> Option<&'static str> {
    match word {
        "" => Some("a name is empty"),
        "*" | "#" => Some("a name is `*` or `#`, which bindings read as a wildcard"),
        _ if word.contains('.') => Some("it has a dot"),
        _ if word.len() > MAX_LEN => Some("it has over 255 bytes"),
        _ => None,
    }
}
