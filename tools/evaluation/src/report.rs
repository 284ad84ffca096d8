use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    fmt::Write,
    process::Command,
};

use motif_fingerprint::{Metric, Scheme};
use serde_json::{Value, json};

use super::{
    comparison::{Asked, Known, Outcome},
    files::Half,
};

/// Goal: minimum percentage of copies found.
const GOAL_PERCENT: f64 = 95.0;
/// Number of nearest unrelated works listed per half.
const NAMED_STRANGERS: usize = 4;
/// Label for all kinds of queries.
const ALL_KINDS: &str = "all";

/// Figures for stdout and the page.
#[derive(Default)]
pub struct Report {
    figures: Vec<Value>,
    notes: Vec<String>,
    rows: String,
    radii: String,
    confidence: String,
    strangers: String,
    sharing: String,
    sharing_named: String,
}

/// Results of all queries of one kind and transformation on one half.
#[derive(Default)]
struct Row {
    order: usize,
    asked: usize,
    found: usize,
    mistaken: usize,
    has_goal: bool,
}

/// Distances of one scheme on one half.
#[derive(Default)]
struct Nearness {
    /// Distances of copies from their originals.
    copies: Vec<u32>,
    /// Minimum distance of each pair of a work and an unrelated one, over all transformations.
    pairs: HashMap<(usize, usize), u32>,
    /// Queried works with their numbers of unrelated works.
    strangers: HashMap<usize, usize>,
}

impl Report {
    /// Adds a note on sources and amounts of data.
    pub fn note(&mut self, note: String) {
        eprintln!("{note}");
        self.notes.push(note);
    }

    /// Adds a line of stdout.
    pub fn figure(
        &mut self,
        name: &str,
        value: f64,
        unit: &str,
        goal: Option<(f64, bool)>,
        how: &str,
    ) {
        let value = (value * 100.0).round() / 100.0;
        let (goal, met) = goal.unzip();
        self.figures.push(json!({
            "name": name, "value": value, "unit": unit, "goal": goal, "met": met, "how": how,
        }));
    }

    /// Adds a line of stdout as it is.
    pub fn line(&mut self, line: Value) {
        self.figures.push(line);
    }

    /// Adds the results of all queries of one medium.
    pub fn take(&mut self, medium: &str, known: &[Known], asked: &[Asked], outcomes: &[Outcome]) {
        self.take_rows(medium, asked, outcomes);
        self.take_sharing(medium, known, asked, outcomes);
        let mut near = BTreeMap::<(Scheme, Half, &str), Nearness>::new();
        let mut all_of = HashMap::<(Scheme, Half), usize>::new();
        let mut of_group = HashMap::<(Scheme, &str), usize>::new();
        for work in known {
            let scheme = Scheme::from_number(work.fingerprint.scheme).unwrap();
            *all_of.entry((scheme, Half::from_group(&work.group))).or_default() += 1;
            *of_group.entry((scheme, &work.group)).or_default() += 1;
        }
        for (one, outcome) in asked.iter().zip(outcomes) {
            let half = outcome.half;
            for kind in [one.kind, ALL_KINDS].into_iter().filter(|_| one.is_copy) {
                near.entry((outcome.scheme, half, kind)).or_default().copies.push(outcome.own);
            }
            for (scheme, _) in all_of.keys().filter(|(_, of)| *of == half) {
                let related = of_group.get(&(*scheme, &known[one.work].group[..])).copied();
                let sharing = known[one.work].sharing.iter();
                let sharing = sharing.filter(|(other, _)| {
                    Half::from_group(&known[*other].group) == half
                        && known[*other].fingerprint.scheme == *scheme as u16
                });
                let strangers = all_of[&(*scheme, half)] - related.unwrap_or(0) - sharing.count();
                for kind in [one.kind, ALL_KINDS] {
                    let nearness = near.entry((*scheme, half, kind)).or_default();
                    nearness.strangers.insert(one.work, strangers);
                }
            }
            for (scheme, distance, stranger) in &outcome.strangers {
                for kind in [one.kind, ALL_KINDS] {
                    let pairs = &mut near.entry((*scheme, half, kind)).or_default().pairs;
                    let least = pairs.entry((one.work, *stranger)).or_insert(*distance);
                    *least = (*least).min(*distance);
                }
            }
        }
        for ((scheme, half, kind), nearness) in &mut near {
            nearness.copies.sort_unstable();
            self.take_nearness(*scheme, *half, kind, nearness, known);
        }
    }

    fn take_rows(&mut self, medium: &str, asked: &[Asked], outcomes: &[Outcome]) {
        let mut rows = BTreeMap::<(&str, &str), BTreeMap<Half, Row>>::new();
        let mut totals = BTreeMap::<(&str, Half), Row>::new();
        for (order, (one, outcome)) in asked.iter().zip(outcomes).enumerate() {
            let halves = rows.entry((one.kind, one.transformation)).or_default();
            let row = halves.entry(outcome.half).or_insert(Row { order, ..Row::default() });
            row.add(one, outcome);
            if one.is_copy {
                totals.entry((one.kind, outcome.half)).or_default().add(one, outcome);
            }
        }
        let mut rows: Vec<_> = rows.into_iter().collect();
        rows.sort_by_key(|((kind, _), halves)| (*kind, halves.values().map(|row| row.order).min()));
        for ((kind, transformation), halves) in &rows {
            write!(self.rows, "| {kind} | {transformation} |").unwrap();
            for half in Half::ALL {
                let empty = Row::default();
                let row = halves.get(&half).unwrap_or(&empty);
                let missed = row.asked - row.found;
                write!(self.rows, " {} | {} | {missed} | {} |", row.asked, row.found, row.mistaken)
                    .unwrap();
                let name = format!("{medium}, {kind}, {transformation}, {}", half.word());
                self.say_found(&name, row);
            }
            let goal = halves.get(&Half::Judged).is_some_and(|row| row.has_goal);
            let met = halves.get(&Half::Judged).is_some_and(Row::meets_goal);
            let word = if !goal {
                ""
            } else if met {
                "met"
            } else {
                "**missed**"
            };
            writeln!(self.rows, " {word} |").unwrap();
        }
        for ((kind, half), row) in &totals {
            let name = format!("{medium}, {kind}, all that is to be borne, {}", half.word());
            self.say_found(&name, row);
            let goal = row.has_goal.then_some((0.0, row.mistaken == 0));
            let name = format!("fingerprints.false{{{medium}, {kind}, {}}}", half.word());
            let how = format!("questions of {} answered with something unrelated", row.asked);
            self.figure(&name, row.mistaken as f64, "questions", goal, &how);
        }
    }

    /// Adds pairs of related works that were reported for each other.
    fn take_sharing(
        &mut self,
        medium: &str,
        known: &[Known],
        asked: &[Asked],
        outcomes: &[Outcome],
    ) {
        let in_order = |one: usize, other: usize| (one.min(other), one.max(other));
        let mut alike = BTreeMap::<(usize, usize), u32>::new();
        for (one, outcome) in asked.iter().zip(outcomes) {
            for (distance, other) in &outcome.sharing {
                let least = alike.entry(in_order(one.work, *other)).or_insert(*distance);
                *least = (*least).min(*distance);
            }
        }
        for half in Half::ALL {
            let of_half = |work: usize| Half::from_group(&known[work].group) == half;
            let mut pairs: Vec<_> = (0..known.len())
                .filter(|work| of_half(*work))
                .flat_map(|work| known[work].sharing.iter().map(move |(other, _)| (work, *other)))
                .filter(|(_, other)| of_half(*other))
                .map(|(work, other)| in_order(work, other))
                .collect();
            pairs.sort_unstable();
            pairs.dedup();
            if pairs.is_empty() {
                continue;
            }
            let mut named: Vec<_> = pairs
                .iter()
                .filter_map(|pair| Some((known[pair.0].share(pair.1)?, *alike.get(pair)?, *pair)))
                .collect();
            named.sort_unstable_by_key(|(share, distance, _)| (Reverse(*share), *distance));
            let half = half.word();
            let first = asked.first().map_or(medium, |one| one.kind);
            let is_one_kind = asked.iter().all(|one| one.kind == first);
            let of = if is_one_kind { first } else { medium };
            writeln!(self.sharing, "| {of} | {half} | {} | {} |", pairs.len(), named.len())
                .unwrap();
            for (share, distance, (one, other)) in named {
                let (one, other) = (shortened(&known[one].name), shortened(&known[other].name));
                let line = format!("| {half} | {share} % | {distance} | `{one}` | `{other}` |\n");
                self.sharing_named.push_str(&line);
            }
        }
    }

    fn say_found(&mut self, name: &str, row: &Row) {
        if row.asked == 0 {
            return;
        }
        let goal = row.has_goal.then_some((GOAL_PERCENT, row.meets_goal()));
        let how = format!("{} of {} found, {} false", row.found, row.asked, row.mistaken);
        self.figure(&format!("fingerprints.found{{{name}}}"), row.percent(), "%", goal, &how);
    }

    fn take_nearness(
        &mut self,
        scheme: Scheme,
        half: Half,
        kind: &str,
        near: &Nearness,
        known: &[Known],
    ) {
        if near.copies.is_empty() {
            return; // queried only with transformations beyond the tolerated ones
        }
        let compared: usize = near.strangers.values().sum();
        let number = scheme as u16;
        let distances: Vec<u32> = match scheme.metric() {
            Metric::Bits => (0..=2 * scheme.radius()).filter(|bits| bits % 8 == 7).collect(),
            Metric::Parts => (0..scheme.metric().max_distance()).collect(),
        };
        for distance in distances {
            let copies = near.copies.partition_point(|copy| *copy <= distance);
            let per_mille = 1_000 * copies / near.copies.len().max(1);
            let pairs = near.pairs.values().filter(|pair| **pair <= distance).count();
            let per_billion = (at_most(pairs) / compared.max(1) as f64 * 1e9).ceil();
            let is_alike = distance <= scheme.radius();
            writeln!(
                self.radii,
                "| {number} | {kind} | {} | {distance}{} | {} | {copies} | {compared} | {pairs} |",
                half.word(),
                if is_alike { "" } else { " (not alike)" },
                near.copies.len(),
            )
            .unwrap();
            if half == Half::Judged && is_alike && kind == ALL_KINDS {
                let line = format!("| {number} | {distance} | {per_mille} | {per_billion} |\n");
                self.confidence.push_str(&line);
            }
        }
        if kind == ALL_KINDS {
            return;
        }
        let mut pairs: Vec<_> = near.pairs.iter().map(|(pair, least)| (*least, *pair)).collect();
        pairs.sort_unstable();
        for (distance, (work, stranger)) in pairs.into_iter().take(NAMED_STRANGERS) {
            let (work, stranger) = (&known[work].name, &known[stranger].name);
            let half = half.word();
            writeln!(
                self.strangers,
                "| {number} | {half} | {distance} | `{}` | `{}` |",
                shortened(work),
                shortened(stranger)
            )
            .unwrap();
        }
    }

    /// Prints all figures on stdout.
    pub fn say(&self) {
        self.figures.iter().for_each(|figure| println!("{figure}"));
    }

    /// Returns the page of figures.
    pub fn page(&self) -> String {
        let notes: String = self.notes.iter().map(|note| format!("- {note}\n")).collect();
        let told = |program: &str, arguments: &[&str]| {
            let output = Command::new(program).args(arguments).output();
            let output = output.map(|output| output.stdout).unwrap_or_default();
            String::from_utf8_lossy(&output).trim().to_owned()
        };
        let (date, commit) = (
            told("date", &["-u", "+%Y-%m-%d"]),
            told("git", &["-C", env!("CARGO_MANIFEST_DIR"), "rev-parse", "--short", "HEAD"]),
        );
        format!(
            include_str!("page.md"),
            date = date,
            commit = commit,
            notes = notes,
            rows = self.rows,
            radii = self.radii,
            confidence = self.confidence,
            strangers = self.strangers,
            sharing = self.sharing,
            sharing_named = self.sharing_named,
        )
    }
}

impl Row {
    fn add(&mut self, asked: &Asked, outcome: &Outcome) {
        self.asked += 1;
        self.found += usize::from(outcome.own <= outcome.scheme.radius());
        let is_alike = |(scheme, distance, _): &(Scheme, u32, usize)| *distance <= scheme.radius();
        self.mistaken += usize::from(outcome.strangers.iter().any(is_alike));
        self.has_goal |= asked.has_goal;
    }

    fn percent(&self) -> f64 {
        100.0 * self.found as f64 / self.asked.max(1) as f64
    }

    fn meets_goal(&self) -> bool {
        self.percent() >= GOAL_PERCENT && self.mistaken == 0
    }
}

/// Returns a file's package and name, without the folders in between.
pub fn shortened(name: &str) -> String {
    let mut parts = name.split('/');
    let start: Vec<_> = parts.by_ref().take(2).collect();
    let rest: Vec<_> = parts.collect();
    let end = &rest[rest.len().saturating_sub(2)..];
    if end.is_empty() {
        start.join("/")
    } else {
        format!("{}/.../{}", start.join("/"), end.join("/"))
    }
}

/// Returns the 95 % upper bound of a Poisson mean after this number of events: 3.0 for
/// zero events (rule of three).
fn at_most(events: usize) -> f64 {
    let chance = |mean: f64| {
        let mut term = (-mean).exp();
        let mut sum = term;
        for event in 1..=events {
            term *= mean / event as f64;
            sum += term;
        }
        sum
    };
    let events = events as f64;
    let (mut low, mut high) = (events, events + 10.0 + 4.0 * events.sqrt());
    if high > 600.0 {
        return events + 2.0 * events.sqrt(); // approximated by the normal distribution
    }
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if chance(middle) > 0.05 { low = middle } else { high = middle }
    }
    high
}
