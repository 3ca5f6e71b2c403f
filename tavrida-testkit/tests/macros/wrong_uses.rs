//! Wrong uses of the macro, and the errors of each: see the files of `tests/wrong_uses`.

use std::path::Path;

use crate::compiler::{WrongUses, said_as_expected};

#[test]
fn what_the_macro_can_see_is_an_error_that_says_what_to_write() {
    assert!(check("macros") >= 12, "the wrong uses were not found");
}

#[test]
fn what_types_alone_tell_is_an_error_that_says_what_to_write() {
    assert!(check("types") >= 1, "the wrong uses were not found");
}

fn check(folder: &str) -> usize {
    said_as_expected(&WrongUses {
        folder: Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wrong_uses").join(folder),
        crates: &["tavrida_testkit"],
        right_use: RIGHT_USE,
    })
}

const RIGHT_USE: &str = r"
    use tavrida_testkit::sim::Sim;

    #[tavrida_testkit::test(schedules = 8)]
    async fn it_holds(sim: Sim) {}

    fn main() {}
";
