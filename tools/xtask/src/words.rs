//! Counts of the writing rules: pronouns without an actor, long test names, gerund file names.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::tree::tracked;

/// Words that hide who acts.
const PRONOUNS: [&str; 5] = ["whoever", "nobody", "anybody", "somebody", "everybody"];
/// Maximum number of Rust and Markdown lines with such a word.
const MAX_PRONOUN_LINES: usize = 60;
/// Maximum mean length of a test's name, in characters.
const MAX_MEAN_TEST_NAME: usize = 36;
/// Maximum number of Rust files named by a gerund.
const MAX_GERUND_FILES: usize = 10;
/// Nouns that end like a gerund.
const NOUNS_IN_ING: [&str; 5] = ["string", "ring", "setting", "thing", "pricing"];
/// Number of offenders that are printed for each count.
const WORST: usize = 10;

/// Prints the counts and returns whether all are within their limits.
///
/// # Errors
/// Fails when the checkout cannot be read.
pub fn check(root: &Path) -> Result<bool> {
    let files = tracked(root, &["rs", "md"])?;
    let counts = Counts::of(&files);
    print!("{}", counts.report());
    Ok(counts.within_limits())
}

#[derive(Default)]
struct Counts {
    /// Lines with a pronoun, by file.
    pronouns: Vec<(usize, PathBuf)>,
    /// Names of tests, longest first.
    tests: Vec<String>,
    gerunds: Vec<PathBuf>,
}

impl Counts {
    fn of(files: &[(PathBuf, String)]) -> Self {
        let mut counts = Self::default();
        for (path, text) in files {
            let lines = text.lines().filter(|line| has_pronoun(line)).count();
            // This file has to name the words that it counts.
            if lines > 0 && !path.ends_with("tools/xtask/src/words.rs") {
                counts.pronouns.push((lines, path.clone()));
            }
            if path.extension().is_some_and(|extension| extension == "rs") {
                counts.tests.extend(test_names(text));
                if is_gerund(path) {
                    counts.gerunds.push(path.clone());
                }
            }
        }
        counts.pronouns.sort_by(|one, other| other.cmp(one));
        counts.tests.sort_by_key(|name| std::cmp::Reverse(name.len()));
        counts
    }

    fn pronoun_lines(&self) -> usize {
        self.pronouns.iter().map(|(lines, _)| lines).sum()
    }

    fn test_characters(&self) -> usize {
        self.tests.iter().map(String::len).sum()
    }

    fn within_limits(&self) -> bool {
        self.pronoun_lines() <= MAX_PRONOUN_LINES
            && self.test_characters() <= MAX_MEAN_TEST_NAME * self.tests.len()
            && self.gerunds.len() <= MAX_GERUND_FILES
    }

    fn report(&self) -> String {
        let mut report = format!(
            "lines with {}: {} (at most {MAX_PRONOUN_LINES})\n",
            PRONOUNS.join(", "),
            self.pronoun_lines()
        );
        for (lines, path) in self.pronouns.iter().take(WORST) {
            report += &format!("  {lines:>4} {}\n", path.display());
        }
        let mean = self.test_characters() as f64 / self.tests.len().max(1) as f64;
        report += &format!(
            "names of {} tests: {mean:.1} characters on average (at most {MAX_MEAN_TEST_NAME})\n",
            self.tests.len()
        );
        for name in self.tests.iter().take(WORST) {
            report += &format!("  {:>4} {name}\n", name.len());
        }
        report += &format!(
            "files named by a gerund: {} (at most {MAX_GERUND_FILES})\n",
            self.gerunds.len()
        );
        for path in self.gerunds.iter().take(WORST) {
            report += &format!("       {}\n", path.display());
        }
        report
    }
}

fn has_pronoun(line: &str) -> bool {
    line.split(|character: char| !character.is_ascii_alphabetic())
        .any(|word| PRONOUNS.iter().any(|pronoun| word.eq_ignore_ascii_case(pronoun)))
}

fn is_gerund(path: &Path) -> bool {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let word = stem.rsplit('_').next().unwrap_or_default();
    word.ends_with("ing") && !NOUNS_IN_ING.contains(&word)
}

/// Returns the names of the functions below a test attribute.
fn test_names(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut is_test = false;
    for line in text.lines().map(str::trim_start) {
        is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
        if let Some(name) = function_name(line).filter(|_| is_test) {
            names.push(name.to_owned());
            is_test = false;
        }
    }
    names
}

fn function_name(line: &str) -> Option<&str> {
    let declaration = line.strip_prefix("pub ").unwrap_or(line);
    let declaration = declaration.strip_prefix("async ").unwrap_or(declaration);
    let name = declaration.strip_prefix("fn ")?;
    name.split(|character: char| !character.is_ascii_alphanumeric() && character != '_').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(path: &str, text: &str) -> Counts {
        Counts::of(&[(PathBuf::from(path), text.to_owned())])
    }

    #[test]
    fn pronoun_is_counted_once_a_line() {
        let counts = counts("docs/a.md", "Nobody pays anybody.\nThe payer pays.\nwhoever, pays\n");
        assert_eq!(counts.pronoun_lines(), 2);
    }

    #[test]
    fn longer_word_is_no_pronoun() {
        assert!(!has_pronoun("nobodys everybodyness"));
    }

    #[test]
    fn test_names_are_found_below_attributes() {
        let text = "#[test]\n#[ignore]\nfn one() {}\nfn other() {}\n\
                    #[tokio::test(start_paused = true)]\nasync fn two() {}\n";
        assert_eq!(test_names(text), ["one", "two"]);
    }

    #[test]
    fn gerund_file_is_counted() {
        assert!(is_gerund(Path::new("src/leasing.rs")));
        assert!(!is_gerund(Path::new("src/setting.rs")));
        assert!(!is_gerund(Path::new("src/lease.rs")));
    }

    #[test]
    fn limits_hold_at_the_limit() {
        let line = "nobody\n";
        assert!(counts("a.md", &line.repeat(MAX_PRONOUN_LINES)).within_limits());
        assert!(!counts("a.md", &line.repeat(MAX_PRONOUN_LINES + 1)).within_limits());
        let long = format!("#[test]\nfn {}() {{}}\n", "a".repeat(MAX_MEAN_TEST_NAME + 1));
        assert!(!counts("a.rs", &long).within_limits());
    }
}
