//! The patterns of `uap-core`, compiled when a user agent first needs them.
//!
//! There are some twelve hundred. Compiled they take 24 MB, and nearly all user agents need the same few dozen. So of
//! each pattern it is known which texts must be in a user agent for it to match at all (its [`clauses`]); all those texts
//! are looked for at once, and only patterns that have theirs are compiled and tried, in their order. The first match
//! counts.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use regex_syntax::Parser;
use regex_syntax::hir::{Class, Hir, HirKind};
use ua_parser::{device, os, user_agent};

use super::PatternError;

/// Shorter texts are in nearly every user agent, and tell nothing.
const SHORTEST: usize = 3;

/// One of these texts, in small letters, must be there.
type Clause = Vec<String>;

/// Something that reads user agents, made by whoever first needs it; `None` if it cannot be, which a test rules out.
type Lazy<E> = LazyLock<Option<E>, Box<dyn FnOnce() -> Option<E> + Send>>;

/// Patterns in their order.
pub(super) struct Patterns<E> {
    compiled: Vec<Lazy<E>>,
    /// How many clauses each has.
    clauses: Vec<usize>,
    /// Of each clause, whose it is.
    owners: Vec<usize>,
    texts: AhoCorasick,
    /// Of each text, the clauses that it is in.
    occurrences: Vec<Vec<usize>>,
}

/// A pattern as `uap-core` has it.
pub(super) trait Pattern: Send + Sized + 'static {
    /// What it is compiled to.
    type Extractor;

    fn regex(&self) -> &str;

    fn compile(self) -> Option<Self::Extractor>;
}

macro_rules! patterns {
    ($($module:ident),+) => {
        $(impl Pattern for $module::Parser<'static> {
            type Extractor = $module::Extractor<'static>;

            fn regex(&self) -> &str {
                &self.regex
            }

            fn compile(self) -> Option<Self::Extractor> {
                $module::Builder::new().push(self).ok()?.build().ok()
            }
        })+
    };
}

patterns!(user_agent, os, device);

impl<E: 'static> Patterns<E> {
    /// Takes patterns in, without compiling any.
    pub(super) fn new<P: Pattern<Extractor = E>>(patterns: Vec<P>) -> Result<Self, PatternError> {
        let (mut counts, mut owners) = (Vec::new(), Vec::new());
        let (mut texts, mut occurrences) = (Vec::<String>::new(), Vec::<Vec<usize>>::new());
        for (owner, pattern) in patterns.iter().enumerate() {
            let clauses = clauses(&Parser::new().parse(pattern.regex()).map_err(Box::new)?);
            counts.push(clauses.len());
            for clause in clauses {
                for text in clause {
                    let known = texts.iter().position(|known| *known == text).unwrap_or_else(|| {
                        texts.push(text);
                        occurrences.push(Vec::new());
                        texts.len() - 1
                    });
                    occurrences[known].push(owners.len());
                }
                owners.push(owner);
            }
        }
        let texts = AhoCorasick::builder().ascii_case_insensitive(true).build(texts)?;
        let compiled = patterns.into_iter().map(|pattern| {
            let compile: Box<dyn FnOnce() -> Option<E> + Send> = Box::new(move || pattern.compile());
            LazyLock::new(compile)
        });
        Ok(Self { compiled: compiled.collect(), clauses: counts, owners, texts, occurrences })
    }

    /// The patterns that can match, in their order.
    pub(super) fn of<'a>(&'a self, user_agent: &str) -> impl Iterator<Item = &'a E> {
        self.possible(user_agent).filter_map(|index| self.compiled[index].as_ref())
    }

    /// The places of the patterns that can match.
    fn possible(&self, user_agent: &str) -> impl Iterator<Item = usize> + use<E> {
        let mut is_met = vec![false; self.owners.len()];
        let mut missing = self.clauses.clone();
        for found in self.texts.find_overlapping_iter(user_agent) {
            for &clause in &self.occurrences[found.pattern().as_usize()] {
                missing[self.owners[clause]] -= usize::from(!is_met[clause]);
                is_met[clause] = true;
            }
        }
        missing.into_iter().enumerate().filter(|(_, missing)| *missing == 0).map(|(index, _)| index)
    }
}

/// What must be in a text for the expression to match: one of the texts of every clause.
fn clauses(hir: &Hir) -> Vec<Clause> {
    match hir.kind() {
        HirKind::Capture(capture) => clauses(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => clauses(&repetition.sub),
        HirKind::Concat(parts) => of_sequence(parts),
        HirKind::Alternation(branches) => either(branches).into_iter().collect(),
        HirKind::Literal(_) | HirKind::Class(_) => characters(hir).and_then(long_enough).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// Characters that follow each other are one text.
fn of_sequence(parts: &[Hir]) -> Vec<Clause> {
    let (mut all, mut run) = (Vec::new(), String::new());
    for part in parts {
        match characters(part) {
            Some(characters) => run.push_str(&characters),
            None => {
                all.extend(long_enough(std::mem::take(&mut run)));
                all.extend(clauses(part));
            }
        }
    }
    all.extend(long_enough(run));
    all
}

fn long_enough(text: String) -> Option<Clause> {
    (text.len() >= SHORTEST).then(|| vec![text])
}

/// Of each branch the clause that says most; none where some branch needs nothing.
fn either(branches: &[Hir]) -> Option<Clause> {
    let telling = |clause: &Clause| clause.iter().map(String::len).min();
    let best = |branch: &Hir| clauses(branch).into_iter().max_by_key(telling);
    let all: Option<Vec<_>> = branches.iter().map(best).collect();
    Some(all?.concat())
}

/// The text, in small letters, where the expression is nothing but that, in letters of any size.
fn characters(hir: &Hir) -> Option<String> {
    match hir.kind() {
        HirKind::Literal(literal) => {
            let text = std::str::from_utf8(&literal.0).ok()?;
            text.is_ascii().then(|| text.to_ascii_lowercase())
        }
        HirKind::Class(Class::Unicode(class)) => {
            let mut characters = class.iter().flat_map(|range| range.start()..=range.end()).take(3);
            let (first, second, third) = (characters.next()?, characters.next(), characters.next());
            let same = second.is_none_or(|second| second.eq_ignore_ascii_case(&first)) && third.is_none();
            (same && first.is_ascii()).then(|| first.to_ascii_lowercase().to_string())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use ua_parser::Regexes;

    use super::super::PATTERNS;
    use super::*;

    #[track_caller]
    fn check(regex: &str, expect: &[&[&str]]) {
        assert_eq!(clauses(&Parser::new().parse(regex).unwrap()), expect, "{regex}");
    }

    #[test]
    fn what_must_be_there_is_known() {
        check("Chrome/(\\d+)", &[&["chrome/"]]);
        check("(?i)android", &[&["android"]]);
        check("[Aa]ndroid.*(Mobile|Tablet)", &[&["android"], &["mobile", "tablet"]]);
        check("(Firefox)+/|Opera", &[&["firefox", "opera"]]);
        check("(CFNetwork|Darwin/\\d+|XY)", &[]);
        check("(Samsung)?; SM-", &[&["; sm-"]]);
        check("(?:Nokia){0,3}", &[]);
        check("[a-z]{3}", &[]);
        check("Größe", &[]);
        check("ab", &[]);
        check("abc", &[&["abc"]]);
    }

    /// The whole set at once, as the crate itself has it, is the referee; and every pattern can be compiled.
    #[test]
    fn nothing_that_would_match_is_left_out() {
        let regexes = || serde_json::from_str::<Regexes<'static>>(PATTERNS).unwrap();
        let whole = ua_parser::Extractor::try_from(regexes()).unwrap();
        let parts = regexes();
        let agents = Patterns::new(parts.user_agent_parsers).unwrap();
        let systems = Patterns::new(parts.os_parsers).unwrap();
        let devices = Patterns::new(parts.device_parsers).unwrap();
        let table = include_str!("../../../fixtures/user-agents.tsv");
        let known: Vec<_> = table.lines().filter_map(|line| line.split_once('\t')).map(|(_, agent)| agent).collect();
        // Halves of two make what nobody has ever seen.
        let half = |agent: &'static str| agent.split_at(agent.floor_char_boundary(agent.len() / 2));
        let mixed =
            known.iter().zip(known.iter().rev()).map(|(one, other)| format!("{}{}", half(one).0, half(other).1));
        let mixed: Vec<_> = mixed.collect();
        let seen = known.iter().copied().chain(mixed.iter().map(String::as_str)).chain(["", "x"]);
        for agent in seen {
            let (expected_agent, expected_os, expected_device) = whole.extract(agent);
            assert_eq!(agents.of(agent).find_map(|pattern| pattern.extract(agent)), expected_agent, "{agent}");
            assert_eq!(systems.of(agent).find_map(|pattern| pattern.extract(agent)), expected_os, "{agent}");
            assert_eq!(devices.of(agent).find_map(|pattern| pattern.extract(agent)), expected_device, "{agent}");
        }
        assert!(agents.compiled.iter().all(|pattern| pattern.is_some()));
        assert!(systems.compiled.iter().all(|pattern| pattern.is_some()));
        assert!(devices.compiled.iter().all(|pattern| pattern.is_some()));
    }
}
