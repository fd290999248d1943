//! Whole texts that a person has read and found good, in `golden/`.

use std::path::Path;

/// Compares with `golden/PATH`. To accept what is printed now, run the test with `GOLDEN=write`, and read
/// the difference before it is committed.
pub fn golden(path: &str, actual: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/integration/golden").join(path);
    if std::env::var("GOLDEN").is_ok_and(|wish| wish == "write") {
        std::fs::write(&file, actual).unwrap();
    }
    let accepted = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(accepted == actual, "{path} is\n{accepted}\nand now reads\n{actual}");
}
