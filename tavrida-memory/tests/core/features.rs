//! Checks the table of features: each rule of the semantics has a row, and each row with `equal` names tests that cite its rules.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

const FEATURES: &str = include_str!("../../docs/features.md");
const SEMANTICS: &str = include_str!("../../docs/broker-semantics.md");
const BEHAVIOUR: &str = include_str!("../../behaviour/src/lib.rs");

struct Row<'a> {
    feature: &'a str,
    rules: BTreeSet<u32>,
    /// On 3.10, and on 4.0.
    states: [&'a str; 2],
    shown: &'a str,
}

/// The rows with a state, without the heads of the tables.
fn rows() -> Vec<Row<'static>> {
    let cells = FEATURES.lines().filter(|line| line.starts_with("| ")).map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [feature, rules, old, new, shown] = cells[..] else { panic!("five cells in {line}") };
        Row { feature, rules: rules_in(rules), states: [old, new], shown }
    });
    cells.filter(|row| row.feature != "feature").collect()
}

/// Returns the numbers in `R15–R17, R30`, in `R15-R17`, in `R15 to R17` and in names such as `r15_r17_what_it_shows` or
/// `r31_to_r34_patterns`.
fn rules_in(text: &str) -> BTreeSet<u32> {
    let mut found = BTreeSet::new();
    let mut last: Option<(u32, usize)> = None;
    for (at, _) in text.match_indices(['R', 'r']) {
        if text[..at].ends_with(|c: char| c.is_alphanumeric()) {
            continue;
        }
        let digits: String = text[at + 1..].chars().take_while(char::is_ascii_digit).collect();
        let Ok(number) = digits.parse::<u32>() else { continue };
        let end = at + 1 + digits.len();
        let range: RangeInclusive<u32> = match last {
            Some((first, from)) if matches!(text[from..at].trim_matches(['_', ' ']), "–" | "-" | "to") => {
                first..=number
            }
            _ => number..=number,
        };
        found.extend(range);
        last = Some((number, end));
    }
    found
}

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

fn read(folder: &Path, into: &mut String) {
    for entry in fs::read_dir(folder).expect("a folder that can be read") {
        let path = entry.expect("an entry that can be read").path();
        if path.is_dir() {
            read(&path, into);
        } else {
            into.push_str(&fs::read_to_string(&path).expect("a file that can be read"));
        }
    }
}

/// Returns the rules cited by the tests in a row's last cell: files in code font, suites by name.
fn cited(shown: &str) -> BTreeSet<u32> {
    let mut text = String::new();
    for file in shown.split('`').filter(|word| word.ends_with(".rs")) {
        let path = tests().join(file);
        text.push_str(
            &fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())),
        );
    }
    if shown.contains("conformance") {
        read(&tests().join("../../tavrida-testkit/conformance/src"), &mut text);
    }
    // A test cites rules in its name, its comment, and the head of its file.
    rules_in(&text)
}

#[test]
fn every_rule_of_a_clients_view_has_a_row() {
    let rules = SEMANTICS.lines().filter(|line| line.starts_with("- R")).flat_map(|line| {
        let first = line[2..].split(' ').next().expect("a rule begins with its number");
        rules_in(first)
    });
    let mut by_rule: BTreeMap<u32, usize> = rules.map(|rule| (rule, 0)).collect();
    assert!(by_rule.len() > 120, "{} rules were read", by_rule.len());
    for row in rows() {
        for rule in row.rules {
            *by_rule.get_mut(&rule).unwrap_or_else(|| panic!("{}: R{rule} is no rule", row.feature)) += 1;
        }
    }
    let missing: Vec<u32> =
        by_rule.into_iter().filter(|(_, rows)| *rows == 0).map(|(rule, _)| rule).collect();
    assert!(missing.is_empty(), "rules without a row: {missing:?}");
}

#[test]
fn what_is_equal_is_shown_by_tests_that_cite_the_rule() {
    let mut wrong = Vec::new();
    for row in rows() {
        for state in row.states {
            assert!(["equal", "differs", "not modelled"].contains(&state), "{}: {state}", row.feature);
        }
        assert!(!row.shown.is_empty(), "{} says neither which tests nor why", row.feature);
        let cited = cited(row.shown);
        let named = row.states != ["not modelled"; 2] || row.shown.contains(".rs");
        wrong.extend(
            row.rules
                .iter()
                .filter(|rule| named && !cited.contains(rule))
                .map(|rule| format!("{}: R{rule} is in none of {}", row.feature, row.shown)),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn where_versions_differ_a_test_shows_both_sides() {
    let decisions: BTreeSet<u32> = BEHAVIOUR
        .lines()
        .filter_map(|line| line.trim().strip_prefix("/// R"))
        .flat_map(|line| rules_in(&format!("R{}", line.split(':').next().unwrap_or_default())))
        .collect();
    let listed = SEMANTICS.split("## 25.").nth(1).expect("section 25 lists where versions differ");
    let rows_of_versions = listed.lines().filter(|line| line.starts_with("| R")).count();
    assert!(decisions.len() >= 15 && rows_of_versions >= 20, "{decisions:?}, {rows_of_versions} rows");
    let listed = rules_in(listed);
    let unlisted: Vec<&u32> = decisions.difference(&listed).collect();
    assert!(unlisted.is_empty(), "section 25 of the semantics lacks rules {unlisted:?}");
    let shown: BTreeSet<u32> = rows()
        .iter()
        .flat_map(|row| {
            let versions = row.shown.split('`').filter(|word| word.starts_with("core/versions/"));
            let cited: BTreeSet<u32> = versions.flat_map(|file| cited(&format!("`{file}`"))).collect();
            row.rules.intersection(&cited).copied().collect::<Vec<_>>()
        })
        .collect();
    let unshown: Vec<&u32> = decisions.difference(&shown).collect();
    assert!(unshown.is_empty(), "rules {unshown:?} have no row that names their test in core/versions");
}

#[test]
fn each_row_of_the_versions_names_tests_that_exist() {
    let (mut both_sides, mut programs) = (String::new(), String::new());
    read(&tests().join("core"), &mut both_sides);
    read(&tests().join("differential"), &mut programs);
    let listed = SEMANTICS.split("## 25.").nth(1).expect("section 25 lists where versions differ");
    let held: Vec<&str> = listed
        .lines()
        .filter(|line| line.starts_with("| R"))
        .filter_map(|line| line.trim_end_matches(" |").rsplit(" | ").next())
        .collect();
    let names: Vec<&str> = held.iter().flat_map(|held| held.split('`').skip(1).step_by(2)).collect();
    let is_there = |name: &str| {
        both_sides.contains(&format!("fn {name}(")) || programs.contains(&format!("    {name},"))
    };
    let missing: Vec<&&str> = names.iter().filter(|name| !is_there(name)).collect();
    assert!(missing.is_empty(), "tests that are named and not there: {missing:?}");
    let with_test = held.iter().filter(|held| held.contains('`')).count();
    assert!(with_test >= 30, "{with_test} of {} rows name a test", held.len());
}

#[test]
fn numbers_of_rules_are_read_in_every_form() {
    let read = |text| rules_in(text).into_iter().collect::<Vec<_>>();
    assert_eq!(read("R15–R17, R30"), [15, 16, 17, 30]);
    assert_eq!(
        read("fn r31_to_r34_patterns() // (R36 to R38, R40-R41)"),
        [31, 32, 33, 34, 36, 37, 38, 40, 41]
    );
    assert_eq!(read("fn r19_r20_order() HR7 row r x R"), [19, 20]);
}
