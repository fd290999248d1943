//! Files that are whole or not there.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, fchown};
use std::path::Path;

/// Replaces `path` by `content` with the given mode. Readers, and a machine that loses power, see the old
/// content or the new, never a part. The temporary file is a sibling: `.NAME.new`.
///
/// # Errors
/// Whatever the file system says; `path` is then as it was.
pub fn replace(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    replace_for(path, content, mode, None)
}

/// [`replace`], and the file belongs to the user and group `owner`.
///
/// # Errors
/// As [`replace`]; giving a file away takes root.
pub fn replace_for(path: &Path, content: &[u8], mode: u32, owner: Option<(u32, u32)>) -> io::Result<()> {
    let directory = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().ok_or_else(|| io::Error::other("the path names no file"))?;
    let staged = directory.join(format!(".{}.new", name.to_string_lossy()));
    let _ = fs::remove_file(&staged);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&staged)?;
    if let Some((user, group)) = owner {
        fchown(&file, Some(user), Some(group))?;
    }
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&staged, path)?;
    fs::File::open(directory)?.sync_all()
}

/// As [`replace`], for what can be written anew at any time: readers see the old content or the new, but a
/// machine that loses power may leave an empty file. Does not wait for the disk.
///
/// # Errors
/// As [`replace`].
pub fn publish(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let name = path.file_name().ok_or_else(|| io::Error::other("the path names no file"))?;
    let staged = path.with_file_name(format!(".{}.new", name.to_string_lossy()));
    let _ = fs::remove_file(&staged);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&staged)?;
    file.write_all(content)?;
    fs::rename(&staged, path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn replaces_content_and_mode_and_leaves_nothing_beside() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("snapshot.json");
        std::fs::write(&path, "old, and longer than the new").unwrap();
        super::replace(&path, b"new", 0o600).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}
