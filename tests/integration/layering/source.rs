//! Rust source, as far as the rules look: words and signs with their lines, and the paths they form.

use std::iter::Peekable;
use std::str::Chars;

/// A word, `::`, or one other sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub text: String,
    pub line: usize,
}

/// A path as it is used, `use` trees taken apart: `crate::api::vip::VipSpec`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedPath {
    pub segments: Vec<String>,
    pub line: usize,
}

/// The code's tokens, without comments and the content of strings.
pub fn tokens(source: &str) -> Vec<Token> {
    let mut lexer = Lexer { chars: source.chars().peekable(), line: 1, tokens: Vec::new() };
    while let Some(c) = lexer.next() {
        lexer.token(c);
    }
    lexer.tokens
}

struct Lexer<'a> {
    chars: Peekable<Chars<'a>>,
    line: usize,
    tokens: Vec<Token>,
}

impl Lexer<'_> {
    fn next(&mut self) -> Option<char> {
        let c = self.chars.next()?;
        self.line += usize::from(c == '\n');
        Some(c)
    }

    fn next_is(&mut self, wanted: char) -> bool {
        self.chars.peek() == Some(&wanted)
    }

    fn token(&mut self, c: char) {
        match c {
            '/' if self.next_is('/') => while self.next().is_some_and(|c| c != '\n') {},
            '/' if self.next_is('*') => self.block_comment(),
            '"' => self.string(),
            '\'' => self.quote(),
            ':' if self.next_is(':') => {
                self.next();
                self.push("::");
            }
            c if c.is_alphanumeric() || c == '_' => self.word(c),
            c if c.is_whitespace() => {}
            c => self.push(&c.to_string()),
        }
    }

    fn push(&mut self, text: &str) {
        self.tokens.push(Token { text: text.to_owned(), line: self.line });
    }

    fn word(&mut self, first: char) {
        let mut word = first.to_string();
        while let Some(c) = self.chars.next_if(|c| c.is_alphanumeric() || *c == '_') {
            word.push(c);
        }
        let raw = matches!(word.as_str(), "r" | "br" | "cr");
        match (raw, self.chars.peek()) {
            (true, Some('"' | '#')) => self.raw_string_or_word(&word),
            _ => self.push(&word),
        }
    }

    /// After `r`: a string with any number of `#`, or a raw identifier like `r#type`.
    fn raw_string_or_word(&mut self, prefix: &str) {
        let mut marks = 0;
        while self.next_is('#') {
            self.next();
            marks += 1;
        }
        if !self.next_is('"') {
            self.push(prefix);
            return;
        }
        self.next();
        let mut closing = None;
        while let Some(c) = self.next() {
            closing = match (c, closing) {
                ('"', _) => Some(0),
                ('#', Some(seen)) => Some(seen + 1),
                _ => None,
            };
            if closing == Some(marks) {
                return;
            }
        }
    }

    fn string(&mut self) {
        while let Some(c) = self.next() {
            match c {
                '\\' => drop(self.next()),
                '"' => return,
                _ => {}
            }
        }
    }

    /// A character like `'a'`, `'\n'`, `'{'`, or a lifetime like `'a`.
    fn quote(&mut self) {
        let Some(first) = self.next() else { return };
        if first == '\\' {
            self.next();
            while self.next().is_some_and(|c| c != '\'') {}
        } else if self.next_is('\'') {
            self.next();
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0;
        let mut last = '/';
        loop {
            let Some(c) = self.next() else { return };
            (depth, last) = match (last, c) {
                ('/', '*') => (depth + 1, ' '),
                ('*', '/') => (depth - 1, ' '),
                _ => (depth, c),
            };
            if depth == 0 {
                return;
            }
        }
    }
}

/// Every path in the code.
pub fn paths(tokens: &[Token]) -> Vec<UsedPath> {
    let mut paths = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at].text == "use" && tokens.get(at + 1).is_some_and(|next| next.text != "<") {
            at = use_tree(tokens, at + 1, &[], &mut paths);
        } else if is_word(&tokens[at]) && tokens.get(at + 1).is_some_and(|next| next.text == "::") {
            at = inline(tokens, at, &mut paths);
        } else {
            at += 1;
        }
    }
    paths
}

fn is_word(token: &Token) -> bool {
    token.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Reads one tree and returns what follows it.
fn use_tree(tokens: &[Token], mut at: usize, prefix: &[String], paths: &mut Vec<UsedPath>) -> usize {
    let mut segments = prefix.to_vec();
    while let Some(token) = tokens.get(at) {
        match token.text.as_str() {
            "::" => at += 1,
            "{" => {
                at += 1;
                while tokens.get(at).is_some_and(|token| token.text != "}") {
                    at = use_tree(tokens, at, &segments, paths);
                    at += usize::from(tokens.get(at).is_some_and(|token| token.text == ","));
                }
                return at + 1;
            }
            "as" => at += 2,
            "*" => at += 1,
            _ if is_word(token) => {
                segments.push(token.text.clone());
                at += 1;
            }
            _ => break,
        }
    }
    let line = tokens.get(at.saturating_sub(1)).map_or(0, |token| token.line);
    paths.push(UsedPath { segments, line });
    at
}

fn inline(tokens: &[Token], mut at: usize, paths: &mut Vec<UsedPath>) -> usize {
    let line = tokens[at].line;
    let mut segments = vec![tokens[at].text.clone()];
    while tokens.get(at + 1).is_some_and(|next| next.text == "::") && tokens.get(at + 2).is_some_and(is_word)
    {
        segments.push(tokens[at + 2].text.clone());
        at += 2;
    }
    paths.push(UsedPath { segments, line });
    at + 1
}

#[test]
fn paths_are_taken_apart() {
    let source = "
        // use crate::comment;
        use crate::{api::{self, vip::Mode as M}, model::*};
        /* use /* nested */ crate::x; */
        fn a<'a>(x: &'a str) { let _ = ('\"', '\\'', \"use crate::s; \\\" {\", r#\"\"crate::r\"#, b'{'); }
        impl X for Y { fn f() -> impl Z + use<'_> { crate::plan::desired(super::super::q::r()) } }
        let r#type = std::time::Instant::now();
    ";
    let found: Vec<String> = paths(&tokens(source)).iter().map(|path| path.segments.join("::")).collect();
    assert_eq!(
        found,
        [
            "crate::api::self",
            "crate::api::vip::Mode",
            "crate::model",
            "crate::plan::desired",
            "super::super::q::r",
            "std::time::Instant::now",
        ]
    );
}
