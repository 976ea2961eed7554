//! The file itself.

use std::{
    io,
    path::{Path, PathBuf},
};

use tower_bearer::store::{StoreError, StoreErrorKind};

use crate::fault::Fault;

/// Creates the file for this user alone where there is none, and returns its absolute path. An absolute path is a file
/// to SQLite whatever its name. It stays the same file when the process changes its folder.
pub(super) async fn create(path: &Path) -> Result<PathBuf, StoreError> {
    if path == Path::new(":memory:") {
        let cure = "`:memory:` is no file: sessions that end with the process are MemoryStore's";
        return Err(Fault::new(cure).refused());
    }
    let mut file = tokio::fs::OpenOptions::new();
    file.create(true).append(true);
    // The two files that SQLite puts beside it get the same mode.
    #[cfg(unix)]
    file.mode(0o600);
    file.open(path).await.map_err(|error| failed(path, error))?;
    std::path::absolute(path).map_err(|error| failed(path, error))
}

fn failed(path: &Path, error: io::Error) -> StoreError {
    use io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};

    let kind = match error.kind() {
        PermissionDenied | QuotaExceeded | ReadOnlyFilesystem | StorageFull => {
            StoreErrorKind::Refused
        }
        _ => StoreErrorKind::Unavailable,
    };
    let cure = format!(
        "`{}` can neither be opened nor created. Its folder has to exist, and this user needs the right to write \
         there",
        path.display()
    );
    StoreError::new(kind, Fault::from(error, cure))
}

/// Whether other users of this machine may read it. Where that cannot be said, they may not.
pub(super) async fn is_readable_by_others(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;

        let metadata = tokio::fs::metadata(path).await;
        metadata.is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        false
    }
}
