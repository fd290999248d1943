//! A directory of manifests, followed for real: written, swapped, broken, removed under the source's eyes.

use novaedge::manifests::{Loaded, Source};
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How often the source looks without being told.
const RESCAN: Duration = Duration::from_secs(5);

/// Less than a rescan takes: what is seen within it was told by the kernel.
const SOON: Duration = Duration::from_secs(4);

fn pool(name: &str) -> String {
    format!(
        "apiVersion: novaedge.io/v1alpha1\nkind: ProxyIPPool\nmetadata: {{name: {name}}}\nspec: {{cidrs: [10.0.0.0/24]}}\n"
    )
}

fn names(loaded: &Loaded) -> Vec<String> {
    loaded.resources.pools.keys().map(ToString::to_string).collect()
}

/// A source that runs until it is dropped, and every world that it published.
struct Followed {
    worlds: watch::Receiver<Arc<Loaded>>,
    seen: Arc<Mutex<Vec<Vec<String>>>>,
    tasks: [JoinHandle<()>; 2],
}

impl Followed {
    async fn open(directory: &Path) -> Self {
        let source = Source::open(directory.to_owned()).await.unwrap();
        let worlds = source.subscribe();
        let seen = Arc::new(Mutex::new(vec![names(&worlds.borrow())]));
        let (mut recorded, record) = (worlds.clone(), Arc::clone(&seen));
        let recorder = tokio::spawn(async move {
            while recorded.changed().await.is_ok() {
                let world = names(&recorded.borrow_and_update());
                record.lock().unwrap().push(world);
            }
        });
        Self { worlds, seen, tasks: [tokio::spawn(source.run()), recorder] }
    }

    async fn until(&mut self, what: &str, limit: Duration, wanted: impl Fn(&Loaded) -> bool) -> Arc<Loaded> {
        let found = tokio::time::timeout(limit, self.worlds.wait_for(|loaded| wanted(loaded))).await;
        Arc::clone(&found.unwrap_or_else(|_| panic!("{what}: not seen within {limit:?}")).unwrap())
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

#[tokio::test]
async fn a_change_is_seen_and_a_broken_file_keeps_its_objects() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pool.yaml");
    fs::write(&path, pool("one")).unwrap();
    let mut followed = Followed::open(directory.path()).await;
    assert_eq!(names(&followed.worlds.borrow()), ["one"]);

    fs::write(directory.path().join("more.yml"), pool("two")).unwrap();
    followed.until("a new file", SOON, |loaded| names(loaded) == ["one", "two"]).await;

    fs::write(&path, "spec: [").unwrap();
    let broken = followed.until("a broken file", SOON, |loaded| !loaded.problems.is_empty()).await;
    assert_eq!(names(&broken), ["one", "two"]);
    assert_eq!(
        broken.problems[0].place.as_deref().map(|place| place.starts_with("pool.yaml:1:")),
        Some(true)
    );

    fs::remove_file(&path).unwrap();
    let gone = followed.until("a removed file", SOON, |loaded| names(loaded) == ["two"]).await;
    assert!(gone.problems.is_empty());
}

/// As the kubelet updates a mounted ConfigMap: the files are links through `..data`, and only that one
/// link is replaced.
#[tokio::test]
async fn a_config_map_is_swapped_whole() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    let version = |name: &str, text: &str| {
        fs::create_dir(root.join(name)).unwrap();
        fs::write(root.join(name).join("pool.yaml"), text).unwrap();
        std::os::unix::fs::symlink(name, root.join("..data_tmp")).unwrap();
        fs::rename(root.join("..data_tmp"), root.join("..data")).unwrap();
    };
    version("..2026_1", &pool("one"));
    std::os::unix::fs::symlink("..data/pool.yaml", root.join("pool.yaml")).unwrap();
    let mut followed = Followed::open(root).await;
    version("..2026_2", &pool("two"));
    followed.until("the new version", SOON, |loaded| names(loaded) == ["two"]).await;
}

/// Editors move the old file away before the new one is there, and shells empty a file before they fill
/// it. Neither may look like a deletion.
#[tokio::test]
async fn a_file_that_is_being_written_is_not_a_file_that_is_gone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pool.yaml");
    fs::write(&path, pool("a")).unwrap();
    let mut followed = Followed::open(directory.path()).await;
    let mut last = "a".to_owned();
    for name in ["b", "c", "d"] {
        fs::rename(&path, directory.path().join("pool.yaml~")).unwrap();
        fs::write(&path, "").unwrap();
        // A writer that takes its time; nothing waits for this.
        tokio::time::sleep(Duration::from_millis(10)).await;
        fs::write(&path, pool(name)).unwrap();
        followed.until("the new content", SOON, |loaded| names(loaded) == [name]).await;
        last = name.to_owned();
    }
    let seen = followed.seen.lock().unwrap().clone();
    assert_eq!((last.as_str(), seen), ("d", ["a", "b", "c", "d"].map(|name| vec![name.to_owned()]).to_vec()));
}

/// Nobody tells about a directory that takes the place of another: this one takes a rescan.
#[tokio::test]
async fn a_directory_that_is_made_anew_is_found_by_looking() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("manifests");
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("pool.yaml"), pool("one")).unwrap();
    let mut followed = Followed::open(&directory).await;
    fs::remove_dir_all(&directory).unwrap();
    let lost = followed.until("a lost directory", 2 * RESCAN, |loaded| !loaded.problems.is_empty()).await;
    assert_eq!(names(&lost), ["one"], "a directory that is not there deletes nothing");
    assert!(lost.problems[0].message.contains("No such file or directory"), "{:?}", lost.problems);
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("pool.yaml"), pool("two")).unwrap();
    let found = |loaded: &Loaded| loaded.problems.is_empty() && names(loaded) == ["two"];
    followed.until("the new directory", 2 * RESCAN, found).await;
    // The kernel tells about the new directory as it did about the old one.
    fs::remove_file(directory.join("pool.yaml")).unwrap();
    followed.until("a change in the new directory", SOON, |loaded| names(loaded).is_empty()).await;
}

#[tokio::test]
async fn a_directory_that_is_not_there_is_an_error_at_the_start() {
    let error = Source::open("/nowhere/manifests".into()).await.unwrap_err().to_string();
    assert!(error.starts_with("cannot read the manifests in /nowhere/manifests: No such file"), "{error}");
}

/// A thousand VIPs, and then some more: neither reading the thousand nor waiting for quiet is what the
/// announcement of one more waits for.
#[tokio::test]
async fn one_more_vip_at_a_thousand_is_seen_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let thousand: Vec<String> = (0..1000).map(vip).collect();
    fs::write(directory.path().join("vips.yaml"), thousand.join("---\n")).unwrap();
    let start = Instant::now();
    let mut followed = Followed::open(directory.path()).await;
    let first = start.elapsed();
    assert_eq!(followed.worlds.borrow().resources.vips.len(), 1000);
    assert!(first < Duration::from_secs(2), "{first:?} for the first thousand");

    let mut took = Vec::new();
    for more in 1000..1011 {
        let start = Instant::now();
        fs::write(directory.path().join(format!("vip-{more}.yaml")), vip(more)).unwrap();
        followed.until("one more", SOON, |loaded| loaded.resources.vips.len() == more + 1).await;
        took.push(start.elapsed());
    }
    took.sort();
    // Less than the moment of quiet (100 ms) that bad news is given.
    assert!(took[5] < Duration::from_millis(90), "{took:?}");
}

fn vip(number: usize) -> String {
    let address = format!("10.9.{}.{}", number / 250, number % 250 + 1);
    format!(
        "apiVersion: novaedge.io/v1alpha1\nkind: ProxyVIP\nmetadata: {{name: v{number}}}\nspec:\n  mode: BGP\n  address: {address}/32\n  ports: [80]\n  bgpConfig: {{localAS: 64501, peers: [{{address: 10.0.0.254, as: 64500}}]}}\n"
    )
}
