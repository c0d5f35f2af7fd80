//! The doors of the API: Unix sockets whose rights say who may come in, and in which role.
//!
//! Implements spec/node.md#sockets.
//!
//! Invariant: nobody but this user can put another socket in the place of one of these.

use std::fs::Permissions;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

use crate::client::SOCKET_NAME;
use crate::exit::{Exit, Failure};

/// Only this user.
const OFFICER_MODE: u32 = 0o600;
/// This user and the group of the folder.
const AUDITOR_MODE: u32 = 0o660;
/// The right of all others to write.
const OTHERS_WRITE: u32 = 0o002;

/// A socket that is bound.
pub(crate) struct Door {
    path: PathBuf,
    listener: UnixListener,
}

impl Door {
    /// Where it lies.
    pub(crate) fn path(&self) -> PathBuf {
        self.path.clone()
    }

    /// What takes connections.
    pub(crate) fn into_listener(self) -> UnixListener {
        self.listener
    }
}

/// The officers' socket in the data directory: only this user may open it.
pub(crate) async fn officer_door(directory: &Path) -> Result<Door, Failure> {
    let path = directory.join(SOCKET_NAME);
    clear(&path).await?;
    let bound = UnixListener::bind(&path).and_then(|listener| {
        std::fs::set_permissions(&path, Permissions::from_mode(OFFICER_MODE))?;
        Ok(listener)
    });
    let listener = bound.map_err(|error| {
        let message = format!("{}: {error}", path.display());
        Failure::invalid(message, "use a folder with a shorter path and your own rights")
    })?;
    Ok(Door { path, listener })
}

/// The auditors' socket: the group of the folder it lies in may open it.
pub(crate) async fn auditor_door(path: &Path) -> Result<Door, Failure> {
    let unusable = |cause: String| {
        let message = format!("the auditors' socket {}: {cause}", path.display());
        Failure::invalid(
            message,
            "name a folder that exists, is this user's, has the auditors' group, and that others \
             cannot write to",
        )
    };
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.ok_or_else(|| unusable("it has no folder".to_owned()))?;
    let folder = std::fs::metadata(parent).map_err(|error| unusable(error.to_string()))?;
    if folder.mode() & OTHERS_WRITE != 0 {
        return Err(unusable("others can write to its folder".to_owned()));
    }
    clear(path).await?;
    let bound = UnixListener::bind(path).and_then(|listener| {
        // To that group first, so that no other has the right in between.
        if std::fs::symlink_metadata(path)?.gid() != folder.gid() {
            chown(path, None, Some(folder.gid()))?;
        }
        std::fs::set_permissions(path, Permissions::from_mode(AUDITOR_MODE))?;
        Ok(listener)
    });
    let listener = bound.map_err(|error| unusable(error.to_string()))?;
    Ok(Door { path: path.to_path_buf(), listener })
}

/// Takes away a socket that nobody answers at; a living one belongs to a node that runs.
async fn clear(path: &Path) -> Result<(), Failure> {
    if UnixStream::connect(path).await.is_ok() {
        return Err(Failure::new(Exit::Refused, "this node is running already", "stop it first"));
    }
    let is_socket =
        std::fs::symlink_metadata(path).is_ok_and(|there| there.file_type().is_socket());
    if is_socket {
        let _ = std::fs::remove_file(path);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_folder_that_others_can_write_to_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let set = |mode: u32| {
            let rights = Permissions::from_mode(mode);
            std::fs::set_permissions(folder.path(), rights).unwrap();
        };
        let path = folder.path().join("audit.sock");
        for mode in [0o777, 0o1777, 0o702] {
            set(mode);
            let refused = auditor_door(&path).await.err().unwrap();
            assert!(refused.message.contains("others can write"), "{refused}");
            assert!(!path.exists());
        }
        set(0o2770);
        let door = auditor_door(&path).await.unwrap();
        let made = std::fs::symlink_metadata(&path).unwrap();
        assert_eq!(made.permissions().mode() & 0o777, AUDITOR_MODE);
        assert_eq!(made.gid(), std::fs::metadata(folder.path()).unwrap().gid());
        assert!(auditor_door(&path).await.is_err(), "a living one is not taken away");
        drop(door);
        assert!(auditor_door(&path).await.is_ok(), "a dead one is");
    }

    #[tokio::test]
    async fn a_file_that_is_no_socket_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.sock");
        std::fs::write(&path, "not a socket").unwrap();
        assert!(auditor_door(&path).await.is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"not a socket");
    }
}
