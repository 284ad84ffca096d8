//! Suggestions for misspelled words.

/// Returns the most similar word.
pub(super) fn nearest<'a>(word: &str, words: &[&'a str]) -> &'a str {
    let distance = |other: &&&str| strsim::damerau_levenshtein(word, other);
    words.iter().min_by_key(distance).copied().unwrap_or_default()
}
