//! Matching of bindings and messages.

use tavrida_behaviour::Behaviour;

use crate::criteria::Criteria;
use crate::mismatch::Mismatch;
use crate::topology::{Binding, ExchangeType};
use crate::value::Table;

/// Returns the words of a key or pattern: none for the empty key, otherwise one more than it has dots (R31).
pub(crate) fn words(key: &str) -> Vec<&str> {
    if key.is_empty() { Vec::new() } else { key.split('.').collect() }
}

/// Returns whether a binding of an exchange of this type matches a message with these keys and headers. The mismatch is that of the first
/// key.
pub(crate) fn check(
    kind: ExchangeType,
    binding: &Binding,
    keys: &[&str],
    headers: &Table,
    behaviour: &Behaviour,
) -> Result<(), Mismatch> {
    let any_key = |check: fn(&str, &str) -> Result<(), Mismatch>| {
        let mut results = keys.iter().map(|key| check(&binding.routing_key, key));
        let first = results.next().unwrap_or(Ok(()));
        if first.is_err() && results.any(|result| result.is_ok()) { Ok(()) } else { first }
    };
    match kind {
        ExchangeType::Fanout => Ok(()),
        ExchangeType::Direct => any_key(direct),
        ExchangeType::Topic => any_key(topic),
        ExchangeType::Headers => {
            let criteria =
                Criteria::of(&binding.arguments, behaviour).expect("a topology refuses any other x-match");
            criteria.check(headers)
        }
    }
}

fn direct(expected: &str, found: &str) -> Result<(), Mismatch> {
    if expected == found {
        return Ok(());
    }
    Err(Mismatch::Key { expected: expected.to_owned(), found: found.to_owned() })
}

/// Walks over the words of the key with the set of positions in the pattern where a match can be (R31 to R34).
pub(crate) fn topic(pattern: &str, key: &str) -> Result<(), Mismatch> {
    let (wanted, found) = (words(pattern), words(key));
    let fails = |index: usize, places: &[bool]| {
        let place = places.iter().rposition(|reached| *reached).unwrap_or(0);
        Err(Mismatch::Word {
            pattern: pattern.to_owned(),
            key: key.to_owned(),
            index,
            expected: wanted.get(place).map(|word| (*word).to_owned()),
            found: found.get(index).map(|word| (*word).to_owned()),
        })
    };
    let mut places = vec![false; wanted.len() + 1];
    places[0] = true;
    skip_hashes(&wanted, &mut places);
    for (index, word) in found.iter().enumerate() {
        let mut next = vec![false; places.len()];
        for (place, pattern_word) in wanted.iter().enumerate().filter(|(place, _)| places[*place]) {
            match *pattern_word {
                "#" => next[place] = true,
                "*" => next[place + 1] = true,
                literal => next[place + 1] |= literal == *word,
            }
        }
        skip_hashes(&wanted, &mut next);
        if !next.contains(&true) {
            return fails(index, &places);
        }
        places = next;
    }
    if places[wanted.len()] { Ok(()) } else { fails(found.len(), &places) }
}

/// A `#` may match no word.
fn skip_hashes(wanted: &[&str], places: &mut [bool]) {
    for (place, word) in wanted.iter().enumerate() {
        places[place + 1] |= places[place] && *word == "#";
    }
}
