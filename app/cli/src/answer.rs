//! How answers look: one line of JSON, or plain tables.

use std::{fmt::Display, io::Write};

use comfy_table::{CellAlignment, ContentArrangement, Table};
use serde_json::{Value, json};

/// One line on stdout.
pub fn print_json(value: &Value) {
    print_text(value);
}

/// Text on stdout.
pub fn print_text(text: impl Display) {
    let mut stdout = std::io::stdout().lock();
    // A reader that has gone away wants no answer.
    let _ = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
}

/// An error as `--json` prints it.
pub fn error_json(code: &str, message: &str, help: Option<&str>) -> Value {
    json!({ "error": { "code": code, "message": message, "help": help } })
}

/// A table with a line under its header and none elsewhere. Columns named in `numbers` are
/// aligned to the right.
pub fn table<const N: usize>(
    header: [&str; N],
    numbers: &[usize],
    rows: Vec<[String; N]>,
) -> String {
    let mut table = Table::new();
    table.load_preset("     ──            ").set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header);
    table.add_rows(rows);
    for (position, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if numbers.contains(&position) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// Names and values, one pair a line, values in one column.
pub fn pairs<'a>(pairs: impl AsRef<[(&'a str, String)]>) -> String {
    let pairs = pairs.as_ref();
    let width = pairs.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines = pairs.iter().map(|(name, value)| format!("{name:width$}  {value}"));
    lines.collect::<Vec<_>>().join("\n")
}
