//! What is asked of a file. Each rule returns what breaks it, as `FILE:LINE: …`.

use super::source::{Token, UsedPath, paths, tokens};

/// The rooms of `src/` and their strata, as `src/lib.rs` draws them.
pub const ROOMS: [(&str, u8); 19] = [
    ("runtime", 0),
    ("host", 0),
    ("api", 1),
    ("model", 1),
    ("compile", 2),
    ("plan", 2),
    ("k8s", 3),
    ("wire", 3),
    ("manifests", 3),
    ("routing", 3),
    ("l2", 3),
    ("netfilter", 3),
    ("proxy", 3),
    ("controller", 4),
    ("agent", 4),
    ("standalone", 4),
    ("cli", 5),
    ("bin", 6),
    ("lib.rs", 6),
];

/// What waits, looks at a clock or at the machine has no place in pure strata.
const IMPURE: [&str; 19] = [
    "std::fs",
    "std::io",
    "std::env",
    "std::process",
    "std::thread",
    "std::os",
    "std::sync::Mutex",
    "std::net::TcpListener",
    "std::net::TcpStream",
    "std::net::UdpSocket",
    "std::net::ToSocketAddrs",
    "std::time::Instant",
    "std::time::SystemTime",
    "tokio",
    "rustix",
    "socket2",
    "notify",
    "hyper",
    "fastrand",
];

pub const LONGEST_FILE: usize = 400;
pub const LONGEST_FUNCTION: usize = 60;

/// A file of the tree: its path from the root, with `/`, and its text.
#[derive(Debug)]
pub struct File {
    pub path: String,
    pub text: String,
}

impl File {
    pub fn lines(&self) -> usize {
        self.text.lines().count()
    }

    /// `src/api/vip.rs` is in room `api`.
    fn room(&self) -> Option<&str> {
        self.path.strip_prefix("src/")?.split('/').next()
    }

    /// `src/a/b.rs` and `src/a/b/mod.rs` are the module `a::b`.
    fn depth(&self) -> usize {
        let path = self.path.strip_prefix("src/").unwrap_or(&self.path);
        path.trim_end_matches(".rs").trim_end_matches("/mod").split('/').count()
    }
}

fn stratum(room: &str) -> Option<u8> {
    ROOMS.iter().find(|(name, _)| *name == room).map(|(_, stratum)| *stratum)
}

/// Imports point down; rooms of one stratum do not know each other.
pub fn points_down(file: &File) -> Vec<String> {
    let Some(room) = file.room() else { return Vec::new() };
    let Some(own) = stratum(room) else {
        return vec![format!("{}: which stratum is room {room} in? Add it to layering/rules.rs", file.path)];
    };
    let tokens = tokens(&file.text);
    let used = paths(&tokens);
    let breaks = used.iter().filter_map(|path| {
        let other = room_of(path, file.depth())?;
        let theirs = stratum(other)?;
        (other != room && theirs >= own).then(|| {
            format!("{}:{}: {room} (stratum {own}) uses {other} (stratum {theirs})", file.path, path.line)
        })
    });
    breaks.collect()
}

/// The room that a path leads to, when it leads through the root of the crate.
fn room_of(path: &UsedPath, depth: usize) -> Option<&str> {
    let supers = path.segments.iter().take_while(|segment| *segment == "super").count();
    match path.segments.first()?.as_str() {
        "crate" | "novaedge" => path.segments.get(1).map(String::as_str),
        "super" if supers >= depth => path.segments.get(supers).map(String::as_str),
        _ => None,
    }
}

/// Strata 1 and 2 have no IO, no clock, nothing that waits.
pub fn is_pure(file: &File) -> Vec<String> {
    if !file.room().and_then(stratum).is_some_and(|stratum| (1..=2).contains(&stratum)) {
        return Vec::new();
    }
    let tokens = tokens(&file.text);
    let used = paths(&tokens).into_iter().filter_map(|path| {
        let text = path.segments.join("::");
        let impure =
            IMPURE.iter().find(|impure| text == **impure || text.starts_with(&format!("{impure}::")))?;
        Some(format!("{}:{}: {impure} in a pure stratum", file.path, path.line))
    });
    let waits = tokens.iter().filter(|token| ["async", "await"].contains(&token.text.as_str()));
    used.chain(waits.map(|token| format!("{}:{}: {} in a pure stratum", file.path, token.line, token.text)))
        .collect()
}

/// A file tells one idea.
pub fn is_short(file: &File) -> Vec<String> {
    let lines = file.lines();
    if lines > LONGEST_FILE {
        return vec![format!(
            "{}: {lines} lines; at most {LONGEST_FILE}, so that a file tells one idea",
            file.path
        )];
    }
    Vec::new()
}

/// A function can be seen at once.
pub fn has_short_functions(file: &File) -> Vec<String> {
    let tokens = tokens(&file.text);
    let starts = (0..tokens.len()).filter(|at| tokens[*at].text == "fn");
    let long = starts.filter_map(|at| {
        let lines = body_end(&tokens[at..])? + 1 - tokens[at].line;
        let name = tokens.get(at + 1).map_or("", |name| name.text.as_str());
        (lines > LONGEST_FUNCTION).then(|| {
            format!(
                "{}:{}: fn {name} has {lines} lines; at most {LONGEST_FUNCTION}",
                file.path, tokens[at].line
            )
        })
    });
    long.collect()
}

/// The line of the brace that closes the function that begins here; `None` without a body.
fn body_end(tokens: &[Token]) -> Option<usize> {
    let mut depth = 0_i32;
    for token in tokens {
        match token.text.as_str() {
            ";" if depth == 0 => return None,
            "{" | "(" | "[" => depth += 1,
            ")" | "]" => depth -= 1,
            "}" => {
                depth -= 1;
                if depth == 0 {
                    return Some(token.line);
                }
            }
            _ => {}
        }
    }
    None
}

/// The files that the `mod` lines of `file` name, in the two spellings that each may have.
pub fn declared(file: &File) -> Vec<[String; 2]> {
    let tokens = tokens(&file.text);
    let (parent, stem) = file.path.rsplit_once('/').expect("a path has a folder");
    let root = ["lib.rs", "main.rs", "mod.rs"].contains(&stem) || parent.ends_with("src/bin");
    let folder = if root { parent.to_owned() } else { file.path.trim_end_matches(".rs").to_owned() };
    let declarations = tokens.windows(3).filter(|three| three[0].text == "mod" && three[2].text == ";");
    let names = declarations.map(|three| three[1].text.clone());
    names.map(|name| [format!("{folder}/{name}.rs"), format!("{folder}/{name}/mod.rs")]).collect()
}
