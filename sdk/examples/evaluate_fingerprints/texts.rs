use std::{collections::HashSet, path::Path};

use motif_sdk::fingerprint::{content_digest, read_text};

use super::{
    comparison::{Asked, Known, compare},
    files::{Half, below, in_parallel},
    report::Report,
};

/// Sayings are put together to texts of at least this length, and prose is cut up into such.
const TEXT_BYTES: usize = 2_000;
const SAYINGS: &str = "collections of sayings";
const PROSE: &str = "passages of prose";

struct Text {
    kind: &'static str,
    name: String,
    text: String,
}

pub fn evaluate(folder: &Path, report: &mut Report) {
    let mut texts = collections(&folder.join("texts/fortunes/usr/share/games/fortunes"));
    texts.extend(passages(&folder.join("texts")));
    let texts = texts.into_iter().filter_map(|text| {
        let fingerprint = read_text(text.text.as_bytes()).ok()??;
        let (group, name) = (text.name.clone(), text.name.clone());
        Some((Known { group, name, fingerprint }, text))
    });
    let (known, texts): (Vec<_>, Vec<_>) = texts.unzip();
    let numbered: Vec<_> = texts.iter().enumerate().collect();
    let asked = in_parallel(&numbered, |(work, text)| {
        let changed = changed(&text.text, *work).into_iter();
        let asked = changed.map(|(transformation, is_copy, text)| Asked {
            kind: texts[*work].kind,
            transformation,
            is_copy,
            has_goal: is_copy,
            work: *work,
            probes: read_text(text.as_bytes()).ok().flatten().into_iter().collect(),
        });
        asked.collect::<Vec<_>>()
    });
    let asked: Vec<_> = asked.into_iter().flatten().collect();
    for half in Half::ALL {
        let count = |kind: &str| {
            let of_kind = texts.iter().filter(|text| text.kind == kind);
            of_kind.filter(|text| Half::of(&text.name) == half).count()
        };
        report.note(format!(
            "Texts, the half that thresholds were {}: {} collections of different sayings (Debian's \
             fortunes) and {} passages of handbooks and manuals (one from each page), each of \
             {TEXT_BYTES} bytes or a little more. All are works, and all are asked about.",
            half.word(),
            count(SAYINGS),
            count(PROSE),
        ));
    }
    let outcomes = compare(&known, &asked);
    report.take("text", &known, &asked, &outcomes);
}

/// Some sayings are there several times, each time with other marks or another source.
fn letters(saying: &str) -> String {
    let letters = saying.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase);
    letters.take(40).collect()
}

/// Every saying once, put together in the order in which they stand.
fn collections(folder: &Path) -> Vec<Text> {
    let (mut all, mut known) = (Vec::new(), HashSet::new());
    for path in below(folder, &[""]) {
        // Beside the sayings there are indices of them, and links.
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let mut collection = String::new();
        for saying in text.split("\n%\n").filter(|saying| known.insert(letters(saying))) {
            collection.push_str(saying);
            collection.push('\n');
            if collection.len() >= TEXT_BYTES {
                let file = path.file_name().unwrap().to_string_lossy();
                let name = format!("fortunes/{file} {}", all.len());
                all.push(Text { kind: SAYINGS, name, text: std::mem::take(&mut collection) });
            }
        }
    }
    all
}

/// From each page of the handbooks in English: what stands after its first third.
fn passages(folder: &Path) -> Vec<Text> {
    let mut all = Vec::new();
    for path in below(folder, &[".html"]) {
        let Ok(page) = std::fs::read_to_string(&path) else { continue };
        // A page in another language has its code before the ending; a page in one file has all
        // the pages that are files of their own.
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        let (name, language) = stem.split_once('.').unwrap_or((&stem, "en"));
        if language != "en" || name == "policy-1" || name == "index" {
            continue;
        }
        let plain = without_tags(&page);
        let words: Vec<_> = plain.split_whitespace().collect();
        let passage: String =
            words[words.len() / 3..].iter().flat_map(|word| [*word, " "]).collect();
        let end = passage.char_indices().map(|(at, _)| at).find(|at| *at >= TEXT_BYTES);
        let Some(end) = end else { continue };
        let package = path.strip_prefix(folder).unwrap().iter().next().unwrap().to_string_lossy();
        let name = format!("{package}/{name}");
        all.push(Text { kind: PROSE, name, text: passage[..end].to_owned() });
    }
    all
}

/// What a page says, without tags and what only browsers read.
fn without_tags(page: &str) -> String {
    let mut page = page.to_owned();
    for hidden in ["style", "script", "title"] {
        let (opening, closing) = (format!("<{hidden}"), format!("</{hidden}>"));
        while let Some(start) = page.find(&opening) {
            let end = page[start..].find(&closing).map(|length| start + length + closing.len());
            page.replace_range(start..end.unwrap_or(page.len()), "");
        }
    }
    let mut is_tag = false;
    let kept = page.chars().filter(|character| {
        is_tag |= *character == '<';
        let is_kept = !is_tag;
        is_tag &= *character != '>';
        is_kept
    });
    kept.collect()
}

fn changed(text: &str, seed: usize) -> Vec<(&'static str, bool, String)> {
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
    let half: String = words[words.len() / 4..words.len() * 3 / 4].concat();
    vec![
        ("as it is", true, text.to_owned()),
        ("upper case", true, text.to_uppercase()),
        ("one line", true, text.split_whitespace().collect::<Vec<_>>().join(" ")),
        ("without punctuation", true, text.chars().map(no_marks).collect()),
        ("5 % of words changed", true, replaced(20)),
        ("10 % of words changed", false, replaced(10)),
        ("its middle half", false, half),
    ]
}
