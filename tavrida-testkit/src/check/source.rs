//! [`Source`]: the location of the source of a test.

use std::path::{Path, PathBuf};

/// The source file of a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    package: PathBuf,
    /// The path as the compiler has it: relative to the folder of the workspace or of the package.
    file: PathBuf,
}

impl Source {
    pub(super) fn new(package: &str, file: &str) -> Self {
        Self { package: package.into(), file: file.into() }
    }

    /// Returns the file beside the source that stores the schedules of a test. `None` if the source is not on this machine.
    pub(super) fn regressions_of(&self, test: &str) -> Option<PathBuf> {
        let found = self.find();
        if found.is_none() {
            let (file, package) = (self.file.display(), self.package.display());
            eprintln!("{test}: {file} is not there, seen from {package} and above: no schedules are kept");
        }
        let found = found?;
        let stem = found.file_stem()?.to_string_lossy().into_owned();
        Some(found.with_file_name(format!("{stem}.{test}.tavrida-regressions")))
    }

    fn find(&self) -> Option<PathBuf> {
        self.package.ancestors().map(|folder: &Path| folder.join(&self.file)).find(|file| file.is_file())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_found_from_the_workspace_and_from_the_package() {
        let here = Source::new(env!("CARGO_MANIFEST_DIR"), file!());
        let expected =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("src/check/source.it_holds.tavrida-regressions");
        assert_eq!(here.regressions_of("it_holds"), Some(expected.clone()));
        let in_package = Source::new(env!("CARGO_MANIFEST_DIR"), "src/check/source.rs");
        assert_eq!(in_package.regressions_of("it_holds"), Some(expected));
    }

    #[test]
    fn without_its_source_a_test_keeps_nothing() {
        assert_eq!(Source::new("/nowhere/at/all", "tests/orders.rs").regressions_of("it_holds"), None);
    }
}
