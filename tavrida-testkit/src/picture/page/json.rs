//! [`pretty`]: adds line breaks to JSON and changes nothing else.

use std::iter::Peekable;
use std::str::Chars;

/// Returns the text of a body with a line for each member. Names keep their order and numbers their digits; text that is not JSON keeps its
/// characters, except for white space.
pub(super) fn pretty(body: &str) -> String {
    let mut pretty = String::with_capacity(body.len() * 2);
    let mut depth = 0;
    let mut chars = body.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => string(&mut pretty, &mut chars),
            '{' | '[' => {
                pretty.push(c);
                skip_blanks(&mut chars);
                match chars.next_if(|next| matches!(next, '}' | ']')) {
                    Some(end) => pretty.push(end),
                    None => {
                        depth += 1;
                        line(&mut pretty, depth);
                    }
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut pretty, depth);
                pretty.push(c);
            }
            ',' => {
                pretty.push(c);
                line(&mut pretty, depth);
            }
            ':' => pretty.push_str(": "),
            c if c.is_ascii_whitespace() => {}
            c => pretty.push(c),
        }
    }
    pretty
}

fn line(pretty: &mut String, depth: usize) {
    pretty.push('\n');
    // Deep nesting is readable by its brackets alone.
    pretty.extend(std::iter::repeat_n("  ", depth.min(32)));
}

fn string(pretty: &mut String, chars: &mut Peekable<Chars<'_>>) {
    pretty.push('"');
    while let Some(c) = chars.next() {
        pretty.push(c);
        match c {
            '"' => return,
            '\\' => pretty.extend(chars.next()),
            _ => {}
        }
    }
}

fn skip_blanks(chars: &mut Peekable<Chars<'_>>) {
    while chars.next_if(char::is_ascii_whitespace).is_some() {}
}

#[cfg(test)]
mod tests {
    use super::pretty;

    #[test]
    fn members_stand_in_lines_and_keep_their_order_and_digits() {
        let body = r#"{"b":[1.50,{"x":{ }, "y":[]}],"a": "q: {\"}, é","n":12345678901234567890.10}"#;
        assert_eq!(
            pretty(body),
            r#"{
  "b": [
    1.50,
    {
      "x": {},
      "y": []
    }
  ],
  "a": "q: {\"}, é",
  "n": 12345678901234567890.10
}"#
        );
    }

    #[test]
    fn what_is_no_json_loses_nothing_but_blanks() {
        for body in ["", "plain", "{\"open", "}}]", "\"\\", "[[[", "a{:,}b"] {
            let bare = |text: &str| text.split_whitespace().collect::<String>();
            assert_eq!(bare(&pretty(body)), bare(body));
        }
    }

    #[test]
    fn what_was_laid_out_already_is_laid_out_the_same() {
        let once = pretty(r#"{"a":[1,2,{"b":null}],"c":"d"}"#);
        assert_eq!(pretty(&once), once);
    }
}
