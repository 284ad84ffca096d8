use std::{collections::HashSet, path::Path};

use motif_sdk::fingerprint::{Scheme, content_digest, read_text};

use super::{
    files::{Half, below, in_parallel},
    report::{Asked, Known, Report},
};

/// Sayings are put together to texts of at least this length.
const TEXT_BYTES: usize = 2_000;

pub fn evaluate(folder: &Path, report: &mut Report) {
    let texts: Vec<_> = collections(&folder.join("texts/fortunes/usr/share/games/fortunes"))
        .into_iter()
        .filter_map(|(name, text)| {
            let fingerprint = read_text(text.as_bytes()).ok()??;
            let half = Half::of(Path::new(&name));
            Some((Known { group: name, fingerprint }, text, half))
        })
        .collect();
    let numbered: Vec<_> = texts.iter().enumerate().collect();
    let asked = in_parallel(&numbered, |(work, (_, text, half))| {
        let asked = changed(text, *work).into_iter().filter_map(|(transformation, text)| {
            let probes = vec![read_text(text.as_bytes()).ok()??];
            Some(Asked { transformation, half: *half, work: *work, probes })
        });
        asked.collect::<Vec<_>>()
    });
    let asked: Vec<_> = asked.into_iter().flatten().collect();
    report.note(format!(
        "Texts: {} collections of different sayings (Debian's fortunes), each of {TEXT_BYTES} bytes \
         or a little more, asked about among the others.",
        texts.len()
    ));
    let known: Vec<_> = texts.into_iter().map(|(known, ..)| known).collect();
    report.compare(Scheme::TextShingles, &known, &asked);
}

/// Some sayings are there several times, each time with other marks or another source.
fn letters(saying: &str) -> String {
    let letters = saying.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase);
    letters.take(40).collect()
}

/// Every saying once, put together in the order in which they stand.
fn collections(folder: &Path) -> Vec<(String, String)> {
    let (mut all, mut known) = (Vec::new(), HashSet::new());
    for path in below(folder, &[""]) {
        // Beside the sayings there are indices of them, and links.
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let mut collection = String::new();
        for saying in text.split("\n%\n").filter(|saying| known.insert(letters(saying))) {
            collection.push_str(saying);
            collection.push('\n');
            if collection.len() >= TEXT_BYTES {
                let name = format!("{} {}", path.display(), all.len());
                all.push((name, std::mem::take(&mut collection)));
            }
        }
    }
    all
}

fn changed(text: &str, seed: usize) -> Vec<(&'static str, String)> {
    let words: Vec<_> = text.split_inclusive(char::is_whitespace).collect();
    let replaced = |one_in: u64| {
        let words = words.iter().enumerate().map(|(place, word)| {
            let name = format!("{seed} {place}");
            let digest = content_digest(name.as_bytes());
            let (chance, other) = (digest[0], usize::from(digest[1]) << 8 | usize::from(digest[2]));
            let change = u64::from(chance) * one_in < 256;
            if change { words[other % words.len()] } else { *word }
        });
        words.collect::<String>()
    };
    let no_marks = |c: char| if c.is_ascii_punctuation() { ' ' } else { c };
    vec![
        ("as it is", text.to_owned()),
        ("upper case", text.to_uppercase()),
        ("one line", text.split_whitespace().collect::<Vec<_>>().join(" ")),
        ("without punctuation", text.chars().map(no_marks).collect()),
        ("5 % of words changed", replaced(20)),
    ]
}
