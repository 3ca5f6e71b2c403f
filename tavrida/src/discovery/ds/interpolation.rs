//! Interpolates `%(name)s` in a value, as Python 2's `ConfigParser` does.

/// The maximum number of rounds; a value that needs more refers to itself. This is Python's own limit.
const ROUNDS: usize = 10;

/// The maximum length of a value (references multiply). A name has at most 255 bytes.
const LONGEST: usize = 4096;

/// Replaces references until none is left; `lookup` returns the values.
///
/// A text without `%(` is not changed, not even single percent signs. In a text with it, `%%` stands for `%`. The error text completes a
/// sentence that names the key.
pub(super) fn expand(text: &str, lookup: impl Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut text = text.to_owned();
    for _ in 0..ROUNDS {
        if !text.contains("%(") {
            return Ok(text);
        }
        text = replace_once(&text, &lookup)?;
        if text.len() > LONGEST {
            return Err(format!("with its references it has over {LONGEST} bytes"));
        }
    }
    if text.contains("%(") { Err("its references lead back to itself".to_owned()) } else { Ok(text) }
}

fn replace_once(text: &str, lookup: impl Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        if let Some(after) = after.strip_prefix('%') {
            out.push('%');
            rest = after;
            continue;
        }
        let reference = after.strip_prefix('(').and_then(|name| name.split_once(")s"));
        let Some((name, after)) = reference else {
            return Err(format!("'%{after}' is neither a reference, as in '%(name)s', nor '%%'"));
        };
        let Some(value) = lookup(&name.to_lowercase()) else {
            return Err(format!("it refers to '{name}', a key that neither this section nor [DEFAULT] has"));
        };
        out.push_str(&value);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a` refers to `b`, and `b` to a plain value; `self` refers to itself; `twice` doubles at each round.
    fn expanded(text: &str) -> Result<String, String> {
        expand(text, |name| {
            let value = match name {
                "a" => "<%(b)s>",
                "b" => "plain",
                "self" => "%(self)s",
                "twice" => "0123456789%(twice)s%(twice)s",
                _ => return None,
            };
            Some(value.to_owned())
        })
    }

    #[test]
    fn references_are_followed_to_the_end() {
        assert_eq!(expanded("x_%(a)s_%(B)s").unwrap(), "x_<plain>_plain");
    }

    #[test]
    fn percent_signs_without_a_reference_stay() {
        assert_eq!(expanded("100% and 100%%").unwrap(), "100% and 100%%");
    }

    #[test]
    fn beside_a_reference_two_percent_signs_stand_for_one() {
        assert_eq!(expanded("%(b)s%%").unwrap(), "plain%");
        assert!(expanded("%(b)s%").unwrap_err().contains("'%' is neither a reference"));
        assert!(expanded("%(b)d").unwrap_err().contains("'%(b)d' is neither a reference"));
    }

    #[test]
    fn a_reference_to_nothing_names_it() {
        assert!(expanded("%(nope)s").unwrap_err().contains("it refers to 'nope'"));
    }

    #[test]
    fn a_reference_to_itself_ends() {
        assert!(expanded("%(self)s").unwrap_err().contains("lead back to itself"));
        assert!(expanded("%(twice)s").unwrap_err().contains("over 4096 bytes"));
    }
}
