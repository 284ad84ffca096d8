//! Output of benchmarks: one JSON object a line.

use serde::Serialize;

#[derive(Serialize)]
struct Line<'a, T> {
    name: &'a str,
    value: T,
    unit: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    goal: Option<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    met: Option<bool>,
    how: &'a str,
}

/// Prints a figure on standard output, with a goal and whether it is met.
pub fn print<T: Serialize>(name: &str, value: T, unit: &str, goal: Option<(T, bool)>, how: &str) {
    let (goal, met) = goal.unzip();
    let line = Line { name, value, unit, goal, met, how };
    println!("{}", serde_json::to_string(&line).unwrap());
}

/// Returns the median of at least one value.
pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}
