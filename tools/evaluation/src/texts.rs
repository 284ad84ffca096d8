use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::Path,
};

use motif_fingerprint::{content_digest, read_text};

use super::{
    comparison::{Asked, Known, compare},
    files::{Half, below, in_parallel},
    report::Report,
};

/// Minimum length of texts: sayings are joined, and prose is cut, to this length.
const TEXT_BYTES: usize = 2_000;
/// Percentage of common runs of eight words above which two texts are related. Chosen on the half
/// that thresholds are chosen on.
const SHARED_PERCENT: u32 = 10;
const RUN_WORDS: usize = 8;
const SAYINGS: &str = "collections of sayings";
const PROSE: &str = "passages of prose";
const UNSEEN_PROSE: &str = "passages not seen before";
/// Packages whose pages were added after radius and threshold were chosen.
const UNSEEN: [&str; 7] = [
    "exim4-doc-html",
    "postfix-doc",
    "python-django-doc",
    "sphinx-doc",
    "sqlite3-doc",
    "valgrind",
    "zsh-doc",
];

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
        Some((Known { group, name, fingerprint, sharing: Vec::new() }, text))
    });
    let (mut known, texts): (Vec<_>, Vec<_>) = texts.unzip();
    for (work, sharing) in known.iter_mut().zip(sharing(&texts)) {
        work.sharing = sharing;
    }
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
            of_kind.filter(|text| Half::from_group(&text.name) == half).count()
        };
        report.note(format!(
            "Texts, the half that thresholds were {}: {} collections of different sayings (Debian's \
             fortunes), {} passages of handbooks and manuals (one from each page) and {} of manuals \
             not seen before, each of {TEXT_BYTES} bytes or a little more. All are works, and all \
             are asked about.",
            half.word(),
            count(SAYINGS),
            count(PROSE),
            count(UNSEEN_PROSE),
        ));
    }
    let outcomes = compare(&known, &asked);
    report.take("text", &known, &asked, &outcomes);
}

/// Returns for each text the texts with more than [`SHARED_PERCENT`] of common runs of words, with
/// the percentage. The shorter text's percentage counts for both, so the relation is
/// symmetric.
fn sharing(texts: &[Text]) -> Vec<Vec<(usize, u32)>> {
    let runs_of: Vec<HashSet<u64>> = texts.iter().map(|text| runs(&text.text)).collect();
    let mut where_is = HashMap::<u64, Vec<usize>>::new();
    for (place, runs) in runs_of.iter().enumerate() {
        runs.iter().for_each(|run| where_is.entry(*run).or_default().push(place));
    }
    let shares = runs_of.iter().enumerate().map(|(place, runs)| {
        let mut shared = BTreeMap::<usize, usize>::new();
        for other in runs.iter().flat_map(|run| &where_is[run]).filter(|other| **other != place) {
            *shared.entry(*other).or_default() += 1;
        }
        let share = |(other, count): (usize, usize)| {
            let all = runs.len().min(runs_of[other].len());
            (other, (100 * count / all) as u32) // at most 100
        };
        let is_much = |(_, share): &(usize, u32)| *share > SHARED_PERCENT;
        shared.into_iter().map(share).filter(is_much).collect()
    });
    shares.collect()
}

/// Returns every run of words in a text, lowercased and without punctuation, as the start of its
/// digest.
fn runs(text: &str) -> HashSet<u64> {
    let words = text.split_whitespace().map(|word| {
        let letters = word.chars().filter(|letter| letter.is_alphanumeric());
        letters.flat_map(char::to_lowercase).collect::<String>()
    });
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    let runs = words.windows(RUN_WORDS).map(|run| {
        let digest = content_digest(run.join(" ").as_bytes());
        u64::from_le_bytes(std::array::from_fn(|byte| digest[byte]))
    });
    runs.collect()
}

/// Normalizes a saying, because some occur several times with other punctuation or sources.
fn letters(saying: &str) -> String {
    let letters = saying.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase);
    letters.take(40).collect()
}

/// Returns every saying once, joined in their order.
fn collections(folder: &Path) -> Vec<Text> {
    let (mut all, mut known) = (Vec::new(), HashSet::new());
    for path in below(folder, &[""]) {
        // The packages also contain indexes of the sayings, and links.
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

/// Returns the last two thirds of each English page of the handbooks.
fn passages(folder: &Path) -> Vec<Text> {
    let mut all = Vec::new();
    for path in below(folder, &[".html"]) {
        let Ok(page) = std::fs::read_to_string(&path) else { continue };
        // A page in another language has its code before the ending; a page in one file contains
        // the pages of the other files.
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
        let kind = if UNSEEN.contains(&&*package) { UNSEEN_PROSE } else { PROSE };
        let name = format!("{package}/{name}");
        all.push(Text { kind, name, text: passage[..end].to_owned() });
    }
    all
}

/// Returns the text of a page, without tags and scripts.
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
