//! Lists in sentences. A condition's message is for people: it names a few and counts the rest, so that a
//! VIP of hundreds of nodes still fits an API object (messages are limited to 32768 characters).

use std::fmt::Display;

/// More than these are told as a number.
pub const FEW: usize = 5;

/// `a, b and c`, or `a, b, c, d, e and 7 more`.
pub fn list<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    let mut words = few(items, |item| item.to_string());
    let last = words.pop();
    match (words.is_empty(), last) {
        (_, None) => String::new(),
        (true, Some(only)) => only,
        (false, Some(last)) => format!("{} and {last}", words.join(", ")),
    }
}

/// `a; b; c`, or the first few and how many more there are.
pub fn clauses<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    few(items, |item| item.to_string()).join("; ")
}

/// As [`clauses`], of the items that are told so; the others are only counted.
pub fn clauses_of<T>(items: impl IntoIterator<Item = T>, tell: impl Fn(T) -> String) -> String {
    few(items, tell).join("; ")
}

fn few<T>(items: impl IntoIterator<Item = T>, tell: impl Fn(T) -> String) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut more = 0;
    for item in items {
        match words.len() < FEW {
            true => words.push(tell(item)),
            false => more += 1,
        }
    }
    words.extend((more > 0).then(|| format!("{more} more")));
    words
}

/// `1 node`, `3 nodes`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// A sentence: a capital to begin with, a full stop at the end. What begins with a name or a number keeps its
/// spelling.
pub fn sentence(words: &str) -> String {
    let stop = if words.ends_with(['.', '!', '?']) { "" } else { "." };
    let first = words.split(' ').next().unwrap_or_default();
    if first.is_empty() || !first.bytes().all(|letter| letter.is_ascii_lowercase()) {
        return format!("{words}{stop}");
    }
    format!("{}{}{stop}", words[..1].to_ascii_uppercase(), &words[1..])
}

#[cfg(test)]
mod tests {
    use super::{clauses, list, sentence};

    #[test]
    fn lists_name_a_few_and_count_the_rest() {
        let cases: [(usize, &str); 5] =
            [(0, ""), (1, "1"), (2, "1 and 2"), (5, "1, 2, 3, 4 and 5"), (200, "1, 2, 3, 4, 5 and 195 more")];
        for (count, words) in cases {
            assert_eq!(list(1..=count), words);
        }
        assert_eq!(clauses(1..=7), "1; 2; 3; 4; 5; 2 more");
    }

    #[test]
    fn a_sentence_begins_and_ends() {
        assert_eq!(sentence("no peer is up"), "No peer is up.");
        assert_eq!(sentence("10.0.0.1 is a node's."), "10.0.0.1 is a node's.");
        assert_eq!(sentence("n1: no peer is up"), "n1: no peer is up.");
        assert_eq!(sentence(""), ".");
    }
}
