//! Finds the source of a test, beside which failed schedules are stored.

use std::path::{Path, PathBuf};

/// Returns the file beside the source that stores the schedules of a test. `None` if the source is not on this machine. `file` is the path
/// as the compiler has it: relative to the folder of the workspace or of the package.
pub(super) fn regressions_beside(package: &str, file: &str, test: &str) -> Option<PathBuf> {
    let Some(found) =
        Path::new(package).ancestors().map(|folder| folder.join(file)).find(|file| file.is_file())
    else {
        eprintln!("{test}: {file} is not there, seen from {package} and above: no schedules are kept");
        return None;
    };
    let stem = found.file_stem()?.to_string_lossy().into_owned();
    Some(found.with_file_name(format!("{stem}.{test}.tavrida-regressions")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_found_from_the_workspace_and_from_the_package() {
        let package = env!("CARGO_MANIFEST_DIR");
        let expected = Path::new(package).join("src/explore/source.it_holds.tavrida-regressions");
        for file in [file!(), "src/explore/source.rs"] {
            assert_eq!(regressions_beside(package, file, "it_holds").as_ref(), Some(&expected));
        }
    }

    #[test]
    fn without_its_source_a_test_keeps_nothing() {
        assert_eq!(regressions_beside("/nowhere/at/all", "tests/orders.rs", "it_holds"), None);
    }
}
