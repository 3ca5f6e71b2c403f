//! Wrong uses, and the compiler errors of each: only our own lines, since the rest is the compiler's and changes.
//!
//! Each file of `tests/wrong_uses` is one wrong program, a module of one crate for each folder, so that the compiler runs twice. The text
//! after `//~` must be in an error of it, and there must be no other errors.

use std::path::Path;

use crate::compiler::{WrongUses, said_as_expected};

#[test]
fn what_macros_can_see_is_an_error_that_says_what_to_write() {
    assert!(check("macros") >= 30, "the wrong uses were not found");
}

#[test]
fn what_types_alone_tell_is_an_error_that_says_what_to_write() {
    assert!(check("types") >= 12, "the wrong uses were not found");
}

fn check(folder: &str) -> usize {
    said_as_expected(&WrongUses {
        folder: Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wrong_uses").join(folder),
        crates: &["tavrida", "serde"],
        right_use: RIGHT_USE,
    })
}

const RIGHT_USE: &str = r#"
    use tavrida::prelude::*;

    #[derive(serde::Serialize, serde::Deserialize, tavrida::Rpc)]
    #[rpc("hello.say")]
    struct Say { what: String }

    struct Hello;

    #[tavrida::service("hello")]
    impl Hello {
        #[rpc(Say)]
        async fn say(&self, say: Say, proxy: Proxy) {}
    }

    fn main() {}
"#;
