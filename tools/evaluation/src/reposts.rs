//! Pictures that are posted again: found by whole-picture fingerprints, by local features, or by
//! either.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::Path,
    time::Instant,
};

use motif_fingerprint::{
    Scheme, Seen, content_digest, distance,
    local::{Features, LocalIndex, Query},
};
use motif_interface::licensing::Fingerprint;
use serde_json::json;

use super::{
    changes,
    files::{Half, in_parallel},
    images::{DRAWINGS, Picture, WORK_SIDE, chosen, opened, opened_to_ask, pictures},
    report::{Report, shortened},
};

/// Number of drawings asked about per half.
const ASKED_DRAWINGS: usize = 25;
/// Minimum number of inliers that is reported.
const LEAST_INLIERS: u32 = 4;
/// Numbers of inliers in the table of thresholds.
const THRESHOLDS: std::ops::RangeInclusive<u32> = LEAST_INLIERS..=24;
/// Number of nearest strangers listed per half.
const NAMED_STRANGERS: usize = 24;

struct Work<'a> {
    picture: &'a Picture,
    name: String,
    fingerprint: Fingerprint,
    features: Features,
}

/// Result of one query.
struct Outcome {
    kind: &'static str,
    change: &'static str,
    half: Half,
    work: usize,
    is_found_whole: bool,
    /// Inliers of the original work.
    own: u32,
    /// Most inliers of a work of another group.
    stranger: Option<(u32, usize)>,
}

/// Counts of one row.
#[derive(Default)]
struct Row {
    order: usize,
    asked: usize,
    whole: usize,
    local: usize,
    either: usize,
    mistaken: usize,
}

pub fn evaluate(folder: &Path, report: &mut Report) {
    let pictures = pictures(folder);
    let started = Instant::now();
    let described = in_parallel(&pictures, |picture| {
        let work = opened(&picture.path, WORK_SIDE)?;
        let fingerprint = Seen::new(&work)?.fingerprint();
        Some((content_digest(work.as_bytes()), fingerprint, Features::new(&work)))
    });
    let mut digests = HashSet::new();
    let mut works = Vec::new();
    for (picture, described) in pictures.iter().zip(described) {
        let Some((digest, fingerprint, features)) = described else { continue };
        // Files with the same pixels are one picture.
        if digests.insert(digest) {
            let name = picture.path.strip_prefix(folder).unwrap().display().to_string();
            works.push(Work { picture, name, fingerprint, features });
        }
    }
    eprintln!("{} works described in {:?}", works.len(), started.elapsed());
    let started = Instant::now();
    let index =
        LocalIndex::new(works.iter().enumerate().map(|(place, work)| (place, &work.features)));
    let points: usize = works.iter().map(|work| work.features.points().len()).sum();
    eprintln!("{points} keypoints indexed in {:?}, {} bytes", started.elapsed(), index.memory());

    let paths: Vec<_> = works.iter().map(|work| work.picture).collect();
    let asked = in_parallel(&chosen(&paths, ASKED_DRAWINGS), |place| {
        let work = &works[*place];
        let Some(opened) = opened_to_ask(work.picture) else { return Vec::new() };
        let reposts = changes::reposts(&opened, &work.picture.group);
        let outcomes = reposts.into_iter().map(|(change, changed)| {
            let probes = Seen::new(&changed).map(|seen| seen.probes()).unwrap_or_default();
            let outcome = Outcome {
                kind: work.picture.kind,
                change,
                half: Half::from_group(&work.picture.group),
                work: *place,
                is_found_whole: is_alike(&work.fingerprint, &probes),
                own: 0,
                stranger: None,
            };
            judged(outcome, &Query::new(&changed), &index, &works)
        });
        outcomes.collect()
    });
    let asked: Vec<_> = asked.into_iter().flatten().collect();
    rows(&asked, report);

    // Every work among all the others.
    let places: Vec<_> = (0..works.len()).collect();
    let started = Instant::now();
    let strangers = in_parallel(&places, |place| {
        let work = &works[*place];
        let outcome = Outcome {
            kind: work.picture.kind,
            change: "as registered",
            half: Half::from_group(&work.picture.group),
            work: *place,
            is_found_whole: true,
            own: 0,
            stranger: None,
        };
        judged(outcome, &Query::from(&work.features), &index, &works)
    });
    eprintln!("{} works looked up in {:?}", places.len(), started.elapsed());
    for half in Half::ALL {
        let of = |outcome: &&Outcome| outcome.half == half;
        for inliers in THRESHOLDS {
            let copies: Vec<_> =
                asked.iter().filter(of).filter(|one| one.kind != DRAWINGS).collect();
            let found = copies.iter().filter(|one| one.own >= inliers).count();
            let is_false = |one: &&Outcome| one.stranger.is_some_and(|(most, _)| most >= inliers);
            let mistaken = asked.iter().filter(of).filter(is_false).count();
            let among = strangers.iter().filter(of).filter(is_false).count();
            report.line(json!({
                "table": "Reposts by inliers", "half": half.word(), "inliers": inliers,
                "copies": copies.len(), "found": found,
                "asked": asked.iter().filter(of).count(), "false": mistaken,
                "works": strangers.iter().filter(of).count(), "works_false": among,
            }));
        }
        let mut pairs = HashMap::<(usize, usize), (u32, &str)>::new();
        for one in asked.iter().chain(&strangers).filter(of) {
            let Some((inliers, stranger)) = one.stranger else { continue };
            let most = pairs.entry((one.work, stranger)).or_insert((inliers, one.change));
            if inliers > most.0 {
                *most = (inliers, one.change);
            }
        }
        let mut pairs: Vec<_> = pairs.into_iter().collect();
        pairs.sort_by_key(|(pair, (inliers, _))| (std::cmp::Reverse(*inliers), *pair));
        for ((work, stranger), (inliers, change)) in pairs.into_iter().take(NAMED_STRANGERS) {
            report.line(json!({
                "table": "Reposts, nearest strangers", "half": half.word(), "inliers": inliers,
                "change": change, "asked": shortened(&works[work].name),
                "stranger": shortened(&works[stranger].name),
            }));
        }
    }
    report.line(json!({
        "table": "Reposts, index", "works": works.len(), "keypoints": points,
        "bytes": index.memory(),
    }));
}

fn is_alike(registered: &Fingerprint, probes: &[Fingerprint]) -> bool {
    let Some(scheme) = Scheme::from_number(registered.scheme) else { return false };
    let distances = probes.iter().filter_map(|probe| distance(probe, registered));
    distances.min().is_some_and(|least| least <= scheme.radius())
}

fn judged(
    mut outcome: Outcome,
    query: &Query,
    index: &LocalIndex<usize>,
    works: &[Work],
) -> Outcome {
    for found in index.find_with(query, LEAST_INLIERS) {
        let is_related = works[found.work].picture.group == works[outcome.work].picture.group;
        if found.work == outcome.work {
            outcome.own = found.inliers;
        } else if !is_related && outcome.stranger.is_none_or(|(most, _)| found.inliers > most) {
            outcome.stranger = Some((found.inliers, found.work));
        }
    }
    outcome
}

fn rows(asked: &[Outcome], report: &mut Report) {
    let mut rows = BTreeMap::<(&str, &str), BTreeMap<Half, Row>>::new();
    for (order, one) in asked.iter().enumerate() {
        let halves = rows.entry((one.kind, one.change)).or_default();
        let row = halves.entry(one.half).or_insert(Row { order, ..Row::default() });
        let is_local = one.own >= LocalIndex::<usize>::MIN_INLIERS;
        row.asked += 1;
        row.whole += usize::from(one.is_found_whole);
        row.local += usize::from(is_local);
        row.either += usize::from(one.is_found_whole || is_local);
        let is_false = |(most, _): (u32, usize)| most >= LocalIndex::<usize>::MIN_INLIERS;
        row.mistaken += usize::from(one.stranger.is_some_and(is_false));
    }
    let mut rows: Vec<_> = rows.into_iter().collect();
    rows.sort_by_key(|((kind, _), halves)| (*kind, halves.values().map(|row| row.order).min()));
    for ((kind, change), halves) in rows {
        let mut line = json!({ "table": "Reposts", "of": kind, "change": change });
        for half in Half::ALL {
            let row = halves.get(&half).unwrap_or(&Row::default()).counts();
            let prefix = half.word().split(' ').next().unwrap();
            for (name, count) in row {
                line[format!("{prefix}_{name}")] = json!(count);
            }
        }
        report.line(line);
    }
}

impl Row {
    fn counts(&self) -> [(&'static str, usize); 5] {
        [
            ("asked", self.asked),
            ("whole", self.whole),
            ("local", self.local),
            ("found", self.either),
            ("false", self.mistaken),
        ]
    }
}
