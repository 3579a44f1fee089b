//! Regular expressions in filters, in the part of the language that engines agree on.
//!
//! A pattern is read here, whatever store answers: what engines understand differently is refused, and the short classes
//! are written out in ASCII. What comes out means the same to Rust's `regex` and to RE2, which DuckDB and others use.

use regex_syntax::ast::{AssertionKind, ClassBracketed, parse::Parser};
use regex_syntax::ast::{Ast, ClassPerlKind, ClassSet, ClassSetItem, GroupKind, RepetitionKind, RepetitionRange, Span};

/// The most times that a part may be repeated by a number; RE2 takes no more.
const MAX_REPEAT: u32 = 1_000;

/// Reads a pattern and gives it as every engine understands it.
///
/// # Errors
/// What is wrong with it, for people.
pub fn portable(pattern: &str) -> Result<String, String> {
    let ast = Parser::new().parse(pattern).map_err(|error| format!("is no regular expression: {}", error.kind()))?;
    let mut portable = Portable { replaced: Vec::new() };
    portable.ast(&ast, Edges { first: true, last: true })?;
    let mut text = pattern.to_owned();
    for (span, class) in portable.replaced.iter().rev() {
        text.replace_range(span.start.offset..span.end.offset, class);
    }
    // Numbers of repetitions multiply: what would grow without bounds is refused here, not by a store.
    regex::RegexBuilder::new(&text).size_limit(256 * 1024).build().map_err(|_| "is too large".to_owned())?;
    Ok(text)
}

/// Where a short class stands, and what is to be written in its place, from the left to the right.
struct Portable {
    replaced: Vec<(Span, String)>,
}

/// Whether something may begin, and may end, what is found.
#[derive(Clone, Copy)]
struct Edges {
    first: bool,
    last: bool,
}

fn ascii(kind: &ClassPerlKind) -> &'static str {
    match kind {
        ClassPerlKind::Digit => "0-9",
        ClassPerlKind::Space => r"\t\n\v\f\r ",
        ClassPerlKind::Word => "0-9A-Za-z_",
    }
}

impl Portable {
    fn ast(&mut self, ast: &Ast, edges: Edges) -> Result<(), String> {
        match ast {
            Ast::Empty(_) | Ast::Literal(_) | Ast::Dot(_) => Ok(()),
            Ast::Flags(_) => Err("may not have flags such as (?i)".into()),
            Ast::Assertion(assertion) => match assertion.kind {
                AssertionKind::StartLine if edges.first => Ok(()),
                AssertionKind::EndLine if edges.last => Ok(()),
                // Elsewhere nothing could match, and DuckDB finds something all the same.
                AssertionKind::StartLine | AssertionKind::EndLine => {
                    Err("may have ^ at the beginning and $ at the end only".into())
                }
                _ => Err("may have ^ and $, and no other assertion".into()),
            },
            Ast::ClassUnicode(_) => Err(r"may not have classes such as \pL".into()),
            Ast::ClassPerl(class) => {
                let negated = if class.negated { "^" } else { "" };
                self.replaced.push((class.span, format!("[{negated}{}]", ascii(&class.kind))));
                Ok(())
            }
            Ast::ClassBracketed(class) => self.bracketed(class),
            Ast::Repetition(repetition) => {
                if let RepetitionKind::Range(range) = &repetition.op.kind {
                    let (RepetitionRange::Exactly(most)
                    | RepetitionRange::AtLeast(most)
                    | RepetitionRange::Bounded(_, most)) = range;
                    if *most > MAX_REPEAT {
                        return Err(format!("may repeat a part at most {MAX_REPEAT} times"));
                    }
                }
                self.ast(&repetition.ast, Edges { first: false, last: false })
            }
            Ast::Group(group) => match &group.kind {
                GroupKind::CaptureIndex(_) => self.ast(&group.ast, edges),
                GroupKind::NonCapturing(flags) if flags.items.is_empty() => self.ast(&group.ast, edges),
                _ => Err("may have plain groups only, without names or flags".into()),
            },
            Ast::Alternation(alternation) => alternation.asts.iter().try_for_each(|ast| self.ast(ast, edges)),
            Ast::Concat(concat) => concat.asts.iter().enumerate().try_for_each(|(index, ast)| {
                let (first, last) = (edges.first && index == 0, edges.last && index + 1 == concat.asts.len());
                self.ast(ast, Edges { first, last })
            }),
        }
    }

    fn bracketed(&mut self, class: &ClassBracketed) -> Result<(), String> {
        match &class.kind {
            ClassSet::Item(item) => self.item(item),
            ClassSet::BinaryOp(_) => Err("may not combine classes with &&, -- or ~~".into()),
        }
    }

    fn item(&mut self, item: &ClassSetItem) -> Result<(), String> {
        match item {
            ClassSetItem::Empty(_) | ClassSetItem::Literal(_) | ClassSetItem::Range(_) | ClassSetItem::Ascii(_) => {
                Ok(())
            }
            ClassSetItem::Perl(class) if !class.negated => {
                self.replaced.push((class.span, ascii(&class.kind).into()));
                Ok(())
            }
            ClassSetItem::Union(union) => union.items.iter().try_for_each(|item| self.item(item)),
            ClassSetItem::Perl(_) | ClassSetItem::Unicode(_) | ClassSetItem::Bracketed(_) => {
                Err(r"may not have \D, \S, \W, \p or another class within brackets".into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_classes_are_written_out() {
        for (pattern, expect) in [
            ("", ""),
            (r"^/watch/\d+$", "^/watch/[0-9]+$"),
            (r"\W[\w.-]\s", r"[^0-9A-Za-z_][0-9A-Za-z_.-][\t\n\v\f\r ]"),
            ("(a|b){2,3}?", "(a|b){2,3}?"),
            (r"a\.b[[:alpha:]]", r"a\.b[[:alpha:]]"),
            ("é.😀", "é.😀"),
            ("(^a|^b)$|c", "(^a|^b)$|c"),
        ] {
            assert_eq!(portable(pattern).as_deref(), Ok(expect), "{pattern}");
        }
    }

    #[test]
    fn what_engines_understand_differently_is_refused() {
        for pattern in [
            "(",
            "[",
            "a{2,1}",
            "(?i)a",
            "(?i:a)",
            "(?P<a>b)",
            r"\bword",
            r"\A",
            r"\pL",
            r"[\D]",
            "[a[bc]]",
            "[a&&b]",
            r"(a)\1",
            "(?=a)",
            "a{1001}",
            "$a",
            "a^",
            "a(^b)",
            "(?:a$)b",
            "(a$)*",
            "((a{100}){100}){100}",
        ] {
            assert!(portable(pattern).is_err(), "{pattern}");
        }
        assert!(portable("a{1000}").is_ok());
    }
}
