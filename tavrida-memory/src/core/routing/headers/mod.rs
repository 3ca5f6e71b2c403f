//! Headers exchanges: arguments of a binding against the headers of a message.

mod criteria;
mod equality;
mod wants;

use tavrida::field::Table;

use criteria::Criteria;
pub use criteria::MatchError;
pub use equality::Comparison;
use wants::{WantNumbers, Wants};

/// The table of a headers exchange.
///
/// What bindings want is stored once, with a number, and a message's headers are first converted to such numbers. Bindings are found by the
/// numbers that could satisfy them: one that wants any of several is listed under each, one that wants all under its rarest. A message
/// therefore costs about as much as it has headers and matches, however many bindings there are.
#[derive(Debug, Clone)]
pub struct HeadersTable<D> {
    slots: Vec<Option<Slot<D>>>,
    free: Vec<u32>,
    /// Bindings without wants, which get everything.
    unconditional: Vec<u32>,
    wants: Wants,
    /// Bindings by the number of a want.
    wanted: Vec<Standing<D>>,
    comparison: Comparison,
}

/// The bindings listed under one want, by their indices.
#[derive(Debug, Clone)]
struct Standing<D> {
    /// Those that want nothing else, or any of several: they match, and their destination is stored here.
    sure: Vec<(u32, D)>,
    /// Those that want more.
    open: Vec<u32>,
}

impl<D> Standing<D> {
    fn new() -> Self {
        Self { sure: Vec::new(), open: Vec::new() }
    }

    fn len(&self) -> usize {
        self.sure.len() + self.open.len()
    }

    fn remove(&mut self, place: u32) {
        self.sure.retain(|(other, _)| *other != place);
        self.open.retain(|other| *other != place);
    }

    fn places(&self) -> impl Iterator<Item = u32> {
        self.sure.iter().map(|(place, _)| *place).chain(self.open.iter().copied())
    }
}

#[derive(Debug, Clone)]
struct Slot<D> {
    any: bool,
    wants: WantNumbers,
    destination: D,
}

impl<D: Copy + Eq> HeadersTable<D> {
    /// Returns an empty table that compares numbers by value.
    pub fn new() -> Self {
        Self::comparing(Comparison::ByValue)
    }

    /// Returns an empty table that compares numbers in this way.
    pub fn comparing(comparison: Comparison) -> Self {
        Self {
            comparison,
            slots: Vec::new(),
            free: Vec::new(),
            unconditional: Vec::new(),
            wants: Wants::default(),
            wanted: Vec::new(),
        }
    }

    /// Checks the arguments of a binding for a headers exchange.
    ///
    /// # Errors
    ///
    /// The `x-match` is invalid.
    pub fn check(arguments: &Table) -> Result<(), MatchError> {
        Criteria::check(arguments)
    }

    /// Adds a binding.
    ///
    /// # Errors
    ///
    /// As [`check`](HeadersTable::check); nothing was added then.
    pub fn insert(&mut self, arguments: &Table, destination: D) -> Result<(), MatchError> {
        let criteria = Criteria::new(arguments)?;
        if criteria.any && criteria.wants.is_empty() {
            // It wants any of nothing, and never matches.
            return Ok(());
        }
        let any = criteria.any;
        let wants: WantNumbers = criteria.wants.into_iter().map(|want| self.wants.number(want)).collect();
        self.wanted.resize_with(self.wanted.len().max(self.wants.end()), Standing::new);
        let sure = any || wants.len() == 1;
        let keys = self.keys_for(any, &wants);
        let place = self.place(Slot { any, wants, destination });
        if keys.is_empty() {
            self.unconditional.push(place);
        }
        for key in keys {
            let standing = &mut self.wanted[key as usize];
            if sure { standing.sure.push((place, destination)) } else { standing.open.push(place) }
        }
        Ok(())
    }

    /// Removes one binding of these arguments to this destination; does nothing if there is none.
    pub fn remove(&mut self, arguments: &Table, destination: D) {
        let Ok(criteria) = Criteria::new(arguments) else { return };
        let wants: Option<WantNumbers> = criteria.wants.iter().map(|want| self.wants.find(want)).collect();
        let Some(wants) = wants else { return };
        let Some(place) = self.find(criteria.any, &wants, destination) else { return };
        self.unconditional.retain(|other| *other != place);
        for want in wants {
            self.wanted[want as usize].remove(place);
            self.wants.give_up(want);
        }
        self.slots[place as usize] = None;
        self.free.push(place);
    }

    /// Pushes the destinations of the bindings that the headers satisfy.
    pub fn route(&self, headers: &Table, into: &mut Vec<D>) {
        into.extend(self.unconditional.iter().map(|place| self.slot(*place).destination));
        if self.wants.is_empty() || headers.is_empty() {
            return;
        }
        let there = self.wants.satisfied_by(headers, self.comparison);
        for want in &there {
            let standing = &self.wanted[*want as usize];
            into.extend(standing.sure.iter().map(|(_, destination)| *destination));
            for place in &standing.open {
                let slot = self.slot(*place);
                if slot.wants.iter().all(|want| there.contains(want)) {
                    into.push(slot.destination);
                }
            }
        }
    }

    /// Returns the wants under which a binding is listed.
    fn keys_for(&self, any: bool, wants: &WantNumbers) -> WantNumbers {
        if any {
            let mut keys = wants.clone();
            keys.sort_unstable();
            keys.dedup();
            keys
        } else {
            wants.iter().copied().min_by_key(|want| self.wanted[*want as usize].len()).into_iter().collect()
        }
    }

    fn find(&self, any: bool, wants: &WantNumbers, destination: D) -> Option<u32> {
        let stands = |place: &u32| {
            let slot = self.slot(*place);
            slot.destination == destination && slot.any == any && slot.wants == *wants
        };
        let wanted = wants.iter().flat_map(|want| self.wanted[*want as usize].places());
        self.unconditional.iter().copied().chain(wanted).find(stands)
    }

    fn place(&mut self, slot: Slot<D>) -> u32 {
        if let Some(place) = self.free.pop() {
            self.slots[place as usize] = Some(slot);
            return place;
        }
        self.slots.push(Some(slot));
        u32::try_from(self.slots.len() - 1).expect("fewer than 2^32 bindings")
    }

    fn slot(&self, place: u32) -> &Slot<D> {
        self.slots[place as usize].as_ref().expect("places that are listed are taken")
    }
}

impl<D: Copy + Eq> Default for HeadersTable<D> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tavrida::field::{Decimal, ShortString, Value};

    fn holds(arguments: &[(&'static str, Value)], headers: &[(&'static str, Value)]) -> bool {
        let table = |entries: &[(&'static str, Value)]| -> Table {
            entries.iter().map(|(name, value)| (ShortString::from_static(name), value.clone())).collect()
        };
        let (arguments, headers) = (table(arguments), table(headers));
        let mut bindings = HeadersTable::new();
        bindings.insert(&arguments, ()).unwrap();
        let mut into = Vec::new();
        bindings.route(&headers, &mut into);
        bindings.remove(&arguments, ());
        let matched = !into.is_empty();
        into.clear();
        bindings.route(&headers, &mut into);
        assert!(into.is_empty(), "a removed binding matches");
        matched
    }

    const ANY: (&str, Value) = ("x-match", Value::from_static("any"));
    const ALL_X: (&str, Value) = ("x-match", Value::from_static("all-with-x"));
    const ANY_X: (&str, Value) = ("x-match", Value::from_static("any-with-x"));

    #[test]
    fn r37_what_is_considered() {
        let x = ("x-k", Value::I32(1));
        assert!(holds(&[], &[]), "all of nothing holds");
        assert!(!holds(&[ANY], &[("a", Value::I32(1))]), "any of nothing does not");
        assert!(holds(std::slice::from_ref(&x), &[]), "x- arguments are not considered");
        assert!(!holds(&[ALL_X, x.clone()], &[]));
        assert!(!holds(&[ANY, x.clone()], std::slice::from_ref(&x)));
        assert!(holds(&[ANY_X, x.clone()], &[x]));
        assert!(!holds(&[("X-foo", Value::I32(1))], &[]), "the prefix is case-sensitive");
        assert!(!holds(&[("x_foo", Value::I32(1))], &[]), "and has a dash");
        assert!(!holds(&[("x", Value::I32(1))], &[]));
    }

    #[test]
    fn r38_a_void_argument_asks_for_the_name_alone() {
        assert!(holds(&[("a", Value::Void)], &[("a", Value::from("zz"))]));
        assert!(!holds(&[("a", Value::Void)], &[]));
        assert!(!holds(&[("a", Value::I32(1))], &[("a", Value::Void)]));
    }

    #[test]
    fn r39_numbers_are_equal_by_value_and_text_by_bytes() {
        let equal = |a: Value, b: Value| holds(&[("a", a)], &[("a", b)]);
        assert!(equal(Value::I32(1), Value::F64(1.0)));
        assert!(equal(Value::I32(1), Value::Timestamp(1)));
        assert!(equal(Value::U8(0), Value::F64(-0.0)));
        assert!(!equal(Value::I64((1 << 53) + 1), Value::F64(9_007_199_254_740_992.0)));
        assert!(!equal(Value::F32(0.1), Value::F64(0.1)));
        assert!(equal(Value::F32(1.5), Value::F64(1.5)));
        assert!(equal(Value::from("a"), Value::Bytes(b"a".into())));
        assert!(!equal(Value::from("a"), Value::from("A")));
        assert!(!equal(Value::I32(1), Value::Bool(true)));
        assert!(!equal(Value::from("1"), Value::I32(1)));
        let decimal = |scale, value| Value::Decimal(Decimal { scale, value });
        assert!(equal(decimal(1, 10), decimal(1, 10)));
        assert!(!equal(decimal(1, 10), decimal(0, 1)));
    }

    #[test]
    fn r40_inside_of_arrays_types_count() {
        let equal = |a: Vec<Value>, b: Value| holds(&[("a", a.into())], &[("a", b)]);
        assert!(!equal(vec![Value::I32(1)], vec![Value::I64(1)].into()));
        assert!(!equal(vec![Value::from("a")], vec![Value::Bytes(b"a".into())].into()));
        assert!(equal(vec![], Table::new().into()), "an empty array is an empty table");
    }

    #[test]
    fn r36_an_unknown_x_match_is_refused_in_rabbitmqs_words() {
        let refusal = |value: Value| {
            let arguments = Table::new().with(ShortString::from_static("x-match"), value);
            HeadersTable::<()>::check(&arguments).unwrap_err().to_string()
        };
        assert_eq!(
            refusal("some".into()),
            "Invalid x-match field value <<\"some\">>; expected all, any, all-with-x, or any-with-x"
        );
        assert_eq!(
            refusal(Value::I32(5)),
            "Invalid x-match field type signedint (value 5); expected longstr"
        );
        assert_eq!(
            refusal(Value::Void),
            "Invalid x-match field type void (value undefined); expected longstr"
        );
        assert_eq!(
            refusal(Value::Bytes(b"any".into())),
            "Invalid x-match field type binary (value <<\"any\">>); expected longstr"
        );
    }
}
