//! Finds RabbitMQ's own scripts, behind the wrappers that packages put on the path.
//!
//! Debian's `/usr/sbin/rabbitmq-server` switches to the user `rabbitmq` and its system-wide home; the script behind it, in the folder of
//! the wrapper, runs as the calling user and takes its configuration from the environment.

use std::{
    env,
    path::{Path, PathBuf},
};

use crate::error::{Error, FOLDER_VARIABLE, Kind, Result};

const SERVER: &str = "rabbitmq-server";

/// Where packages put the scripts, if they are not on every user's path.
const USUAL_FOLDERS: [&str; 4] =
    ["/usr/lib/rabbitmq/bin", "/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin"];

/// The programs that a private node needs.
#[derive(Clone, Debug)]
pub(crate) struct Installation {
    pub(crate) server: PathBuf,
    pub(crate) ctl: PathBuf,
    pub(crate) epmd: PathBuf,
}

impl Installation {
    /// Looks in `scripts` if given, else in the folder that `TAVRIDA_RABBITMQ` names, else on the path and in the usual folders.
    pub(crate) fn find(scripts: Option<&Path>) -> Result<Self> {
        let chosen = env::var_os(FOLDER_VARIABLE).filter(|folder| !folder.is_empty()).map(PathBuf::from);
        Self::find_in(scripts.map(Path::to_owned).or(chosen))
    }

    fn find_in(chosen: Option<PathBuf>) -> Result<Self> {
        let folders = chosen.map_or_else(search_folders, |folder| vec![folder]);
        let server = locate(SERVER, &folders)?;
        let scripts = real_scripts(&server);
        // An installation in a root folder of its own has its own `epmd`; packages put it on the path.
        let epmd_folders: Vec<_> = std::iter::once(scripts.clone()).chain(search_folders()).collect();
        Ok(Self {
            server: scripts.join(SERVER),
            ctl: scripts.join("rabbitmqctl"),
            epmd: locate("epmd", &epmd_folders)?,
        })
    }
}

fn search_folders() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).chain(USUAL_FOLDERS.map(PathBuf::from)).collect()
}

fn locate(program: &'static str, folders: &[PathBuf]) -> Result<PathBuf> {
    let found = folders.iter().map(|folder| folder.join(program)).find(|file| file.is_file());
    found.ok_or_else(|| Error::from(Kind::NotInstalled { program, looked_in: folders.to_vec() }))
}

/// Returns the folder of the scripts themselves: the target of a wrapper's link has a script of the same name beside it.
fn real_scripts(server: &Path) -> PathBuf {
    let target = server.canonicalize().unwrap_or_else(|_| server.to_owned());
    [target.as_path(), server]
        .into_iter()
        .filter_map(Path::parent)
        .find(|folder| folder.join(SERVER).is_file() && folder.join("rabbitmqctl").is_file())
        .unwrap_or(Path::new("."))
        .to_owned()
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;

    #[test]
    fn a_wrapper_on_the_path_leads_to_the_scripts_beside_it() {
        let root = tempfile::tempdir().unwrap();
        let (bin, sbin) = (root.path().join("bin"), root.path().join("sbin"));
        for folder in [&bin, &sbin] {
            fs::create_dir(folder).unwrap();
        }
        for script in ["wrapper", SERVER, "rabbitmqctl"] {
            fs::write(bin.join(script), "").unwrap();
        }
        symlink(bin.join("wrapper"), sbin.join(SERVER)).unwrap();
        symlink(bin.join("wrapper"), sbin.join("rabbitmqctl")).unwrap();

        let scripts = real_scripts(&sbin.join(SERVER));

        assert_eq!(scripts, bin.canonicalize().unwrap());
    }

    #[test]
    fn an_installation_with_an_epmd_of_its_own_uses_that() {
        let scripts = tempfile::tempdir().unwrap();
        for program in ["run", "epmd"] {
            fs::write(scripts.path().join(program), "").unwrap();
        }
        for name in [SERVER, "rabbitmqctl"] {
            symlink("run", scripts.path().join(name)).unwrap();
        }

        let found = Installation::find_in(Some(scripts.path().to_owned())).unwrap();

        let folder = scripts.path().canonicalize().unwrap();
        assert_eq!(found.epmd, folder.join("epmd"));
        assert_eq!(found.server, folder.join(SERVER));
    }

    #[test]
    fn an_empty_folder_is_an_error_that_says_how_to_install() {
        let empty = tempfile::tempdir().unwrap();

        let error = Installation::find(Some(empty.path())).unwrap_err();

        assert!(error.is_not_installed());
        let text = error.to_string();
        assert!(text.contains("apt-get install rabbitmq-server"), "{text}");
        assert!(text.contains(&empty.path().display().to_string()), "{text}");
    }
}
