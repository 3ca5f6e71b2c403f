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
    two_words(text, "address of a method", what)
}

fn two_words(text: &LitStr, noun: &str, what: &str) -> Result<()> {
    let address = text.value();
    let refuse = |flaw: &str| {
        Err(Error::new(text.span(), format!("\"{address}\" is no {noun}: {flaw}; write {what}")))
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

/// Checks that a text is `publisher.event`, or a pattern: `publisher.*`, `publisher.#`.
pub(crate) fn topics(text: &LitStr, what: &str) -> Result<()> {
    let topics = text.value();
    let refuse =
        |flaw: &str| Err(Error::new(text.span(), format!("\"{topics}\" is no topic: {flaw}; write {what}")));
    let (publisher, event) = topics.split_once('.').unwrap_or((&topics, ""));
    let is_wild = |word: &str| word.contains(['*', '#']);
    if is_wild(publisher) {
        return refuse("a subscription names its publisher, whose exchange it is bound to");
    }
    match event {
        "*" | "#" => match flaw_of_word(publisher) {
            Some(flaw) => refuse(flaw),
            None if topics.len() > MAX_LEN => refuse("it has over 255 bytes"),
            None => Ok(()),
        },
        _ if is_wild(event) && event.contains('.') => refuse("it has more than one dot"),
        _ if is_wild(event) => refuse("a wildcard is a whole word, as in \"stock.*\""),
        _ => two_words(text, "topic", what),
    }
}

/// Checks that a text is an event of the service itself, or `publisher.event`, or a pattern of either.
pub(crate) fn event(text: &LitStr) -> Result<()> {
    const WRITE: &str = "a name such as \"created\", or \"publisher.created\"";
    let event = text.value();
    match event.as_str() {
        "*" | "#" => Ok(()),
        _ if event.contains('.') => topics(text, WRITE),
        _ => match flaw_of_word(&event) {
            Some(flaw) => {
                Err(Error::new(text.span(), format!("\"{event}\" is no event: {flaw}; write {WRITE}")))
            }
            None => Ok(()),
        },
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
