//! The difference between two lists of lines.

use std::fmt::Write;

/// Merges both lists: common lines as they are, with `-` lines only in the first, with `+` lines only in the second.
pub(super) fn lines(expected: &[String], found: &[String]) -> String {
    let common = common(expected, found);
    let mut text = String::new();
    let (mut i, mut j) = (0, 0);
    while i < expected.len() || j < found.len() {
        let (mark, line) = match (expected.get(i), found.get(j)) {
            (Some(a), Some(b)) if a == b => {
                j += 1;
                i += 1;
                (' ', a)
            }
            (Some(a), b) if b.is_none() || common[i + 1][j] >= common[i][j + 1] => {
                i += 1;
                ('-', a)
            }
            (_, Some(b)) => {
                j += 1;
                ('+', b)
            }
            (_, None) => unreachable!("one of the lists goes on"),
        };
        writeln!(text, "  {mark} {line}").expect("a String takes everything");
    }
    text
}

/// Returns, for each pair of positions, the length of the longest common subsequence of the rests of both lists.
fn common(a: &[String], b: &[String]) -> Vec<Vec<usize>> {
    let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            table[i][j] =
                if a[i] == b[j] { table[i + 1][j + 1] + 1 } else { table[i + 1][j].max(table[i][j + 1]) };
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::lines;

    fn list(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn what_is_common_stays_and_the_rest_is_marked() {
        assert_eq!(lines(&list("a b d"), &list("a c d e")), "    a\n  - b\n  + c\n    d\n  + e\n");
        assert_eq!(lines(&list("a"), &[]), "  - a\n");
        assert_eq!(lines(&[], &list("a")), "  + a\n");
    }
}
