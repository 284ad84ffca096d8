use std::{collections::BTreeMap, fmt::Write};

use motif_sdk::{fingerprint::Scheme, licensing::Fingerprint};
use serde_json::json;

use super::files::Half;

/// What somebody asked about: something made from a work, or from nothing that is registered.
pub struct Asked {
    pub transformation: &'static str,
    pub half: Half,
    /// Which of the works it was made from.
    pub work: usize,
    pub probes: Vec<Fingerprint>,
}

/// A work, and what else is the same: works of one group are no strangers to each other.
pub struct Known {
    pub group: String,
    pub fingerprint: Fingerprint,
}

#[derive(Default)]
pub struct Report {
    lines: Vec<String>,
    notes: Vec<String>,
}

#[derive(Default)]
struct Row {
    asked: usize,
    found: usize,
    mistaken: usize,
    farthest: u32,
    nearest_stranger: Option<u32>,
}

impl Report {
    /// Where the data is from.
    pub fn note(&mut self, note: String) {
        println!("{}", json!({ "name": "data", "about": note }));
        self.notes.push(note);
    }

    /// Compares everything that was asked about with every work.
    pub fn compare(&mut self, scheme: Scheme, known: &[Known], asked: &[Asked]) {
        let distances = super::files::in_parallel(asked, |one| nearest(scheme, known, one));
        let mut rows = BTreeMap::<(&str, &str), Row>::new();
        let mut chances = BTreeMap::<u32, u64>::new();
        let mut pairs = 0_u64;
        for (one, (own, stranger, histogram)) in asked.iter().zip(&distances) {
            let row = rows.entry((one.half.word(), one.transformation)).or_default();
            row.asked += 1;
            row.farthest = row.farthest.max(*own);
            row.found += usize::from(*own <= scheme.radius());
            row.mistaken += usize::from(*stranger <= scheme.radius());
            let nearest = row.nearest_stranger.get_or_insert(*stranger);
            *nearest = (*nearest).min(*stranger);
            for (distance, count) in histogram {
                *chances.entry(*distance).or_default() += count;
            }
            pairs += histogram.values().sum::<u64>();
        }
        let near: Vec<_> = chances.range(..=scheme.radius() + scheme.metric().most() / 8).collect();
        println!(
            "{}",
            json!({
                "name": "pairs of strangers", "scheme": scheme as u16, "pairs": pairs,
                "by_distance": near,
            })
        );
        self.notes.push(format!(
            "Scheme {}: {pairs} pairs of strangers, of which {} are within the radius of {}.",
            scheme as u16,
            chances.range(..=scheme.radius()).map(|(_, count)| count).sum::<u64>(),
            scheme.radius()
        ));
        for ((half, transformation), row) in &rows {
            let Row { asked, found, mistaken, farthest, nearest_stranger } = row;
            println!(
                "{}",
                json!({
                    "name": transformation, "scheme": scheme as u16, "half": half, "asked": asked,
                    "found": found, "missed": asked - found, "false": mistaken,
                    "farthest": farthest, "nearest_stranger": nearest_stranger,
                })
            );
            if *half == Half::Reported.word() {
                self.lines.push(format!(
                    "| {} | {transformation} | {asked} | {found} | {} | {mistaken} | {farthest} | {} |",
                    scheme as u16,
                    asked - found,
                    nearest_stranger.map_or("-".to_owned(), |distance| distance.to_string()),
                ));
            }
        }
    }

    /// The page of figures.
    pub fn page(&self) -> String {
        let mut page = "# What fingerprints find\n\nWritten by `just evaluate-fingerprints FOLDER \
            --write`. Thresholds were chosen on one half of the data, by the SHA-256 of file \
            names; this is the other half. \"False\" counts questions that were answered with a \
            work of something else.\n\n"
            .to_owned();
        for note in &self.notes {
            writeln!(page, "- {note}").unwrap();
        }
        page.push_str("\n| scheme | transformation | asked | found | missed | false | farthest | nearest stranger |\n");
        page.push_str("|---|---|---|---|---|---|---|---|\n");
        for line in &self.lines {
            writeln!(page, "{line}").unwrap();
        }
        page
    }
}

/// How near the own work and the nearest stranger are, and how many strangers are how near.
fn nearest(scheme: Scheme, known: &[Known], asked: &Asked) -> (u32, u32, BTreeMap<u32, u64>) {
    let own_group = &known[asked.work].group;
    let (mut own, mut stranger) = (u32::MAX, u32::MAX);
    let mut histogram = BTreeMap::new();
    let probes: Vec<_> =
        asked.probes.iter().filter(|probe| probe.scheme == scheme as u16).collect();
    for (place, work) in known.iter().enumerate() {
        let distances =
            probes.iter().map(|probe| scheme.distance(&probe.bits, &work.fingerprint.bits));
        let Some(distance) = distances.min() else { continue };
        if place == asked.work {
            own = distance;
        } else if work.group != *own_group {
            stranger = stranger.min(distance);
            *histogram.entry(distance).or_default() += 1;
        }
    }
    (own, stranger, histogram)
}
