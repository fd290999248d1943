//! What lies in a directory: which files, whether they changed, what they say.

use super::load::Texts;
use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A look at a directory without reading its files. Equal looks: nothing was written in between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// Device and inode.
    directory: (u64, u64),
    files: BTreeMap<String, Result<Stamp, String>>,
}

/// Tells a file from what it was before, even when a tool keeps its times. The owner's `chmod` shows
/// in the change time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: (u64, u64),
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            inode: (metadata.dev(), metadata.ino()),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

impl Survey {
    /// Whether both looks saw the same directory, whatever it held: one that was removed and made again
    /// is another one.
    pub fn same_directory(&self, other: &Self) -> bool {
        self.directory == other.directory
    }
}

/// Looks at the manifests of a directory: `*.yaml`, `*.yml`, `*.json`, no dot files, nothing below.
/// Symbolic links are followed, as a mounted ConfigMap consists of them.
///
/// # Errors
/// The directory itself cannot be read. A file that cannot be looked at is part of the answer.
pub fn survey(directory: &Path) -> io::Result<Survey> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        if !is_manifest(&name) {
            continue;
        }
        match fs::metadata(entry.path()) {
            Ok(metadata) if metadata.is_file() => drop(files.insert(name, Ok(Stamp::of(&metadata)))),
            Ok(_) => {}
            Err(error) => drop(files.insert(name, Err(error.to_string()))),
        }
    }
    Ok(Survey { directory: Stamp::of(&fs::metadata(directory)?).inode, files })
}

fn is_manifest(name: &str) -> bool {
    !name.starts_with('.') && [".yaml", ".yml", ".json"].iter().any(|suffix| name.ends_with(suffix))
}

/// Reads the files of a survey. What cannot be read says why.
pub fn read(directory: &Path, survey: &Survey) -> Texts {
    let text = |name: &String| {
        let bytes = fs::read(directory.join(name)).map_err(|error| error.to_string())?;
        String::from_utf8(bytes).map_err(|_| "is not UTF-8 text".to_owned())
    };
    survey.files.keys().map(|name| (name.clone(), text(name))).collect()
}

/// What a directory's manifests say now.
///
/// # Errors
/// The directory itself cannot be read.
pub fn texts(directory: &Path) -> io::Result<Texts> {
    Ok(read(directory, &survey(directory)?))
}

#[cfg(test)]
mod tests {
    use super::{read, survey};
    use std::fs;

    #[test]
    fn takes_manifests_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        for name in ["b.yaml", "a.yml", "c.json", ".hidden.yaml", "vip.yaml~", "notes.txt", "#d.yaml#"] {
            fs::write(path.join(name), name).unwrap();
        }
        fs::create_dir(path.join("below.yaml")).unwrap();
        fs::write(path.join("latin.yaml"), [0xe4]).unwrap();
        std::os::unix::fs::symlink(path.join("nowhere"), path.join("dangling.yaml")).unwrap();
        let texts = read(path, &survey(path).unwrap());
        let names: Vec<&str> = texts.keys().map(String::as_str).collect();
        assert_eq!(names, ["a.yml", "b.yaml", "c.json", "dangling.yaml", "latin.yaml"]);
        assert_eq!(texts["a.yml"].as_deref(), Ok("a.yml"));
        assert_eq!(texts["latin.yaml"].as_deref(), Err(&"is not UTF-8 text".to_owned()));
        assert!(texts["dangling.yaml"].is_err());
    }

    #[test]
    fn a_survey_notices_every_way_of_writing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.yaml");
        fs::write(&path, "a: 1").unwrap();
        let mut last = survey(directory.path()).unwrap();
        let mut differs = |what: &str| {
            let now = survey(directory.path()).unwrap();
            assert_ne!(now, last, "{what}");
            last = now;
        };
        fs::write(&path, "a: 22").unwrap();
        differs("another size");
        let times = fs::FileTimes::new().set_modified(fs::metadata(&path).unwrap().modified().unwrap());
        fs::write(directory.path().join("new"), "a: 33").unwrap();
        fs::File::options().write(true).open(directory.path().join("new")).unwrap().set_times(times).unwrap();
        fs::rename(directory.path().join("new"), &path).unwrap();
        differs("same size and time, another file");
        fs::remove_file(&path).unwrap();
        differs("gone");
    }
}
