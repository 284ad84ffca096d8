//! Output of commands: one line of JSON, or aligned text.

use std::{
    fmt::{Display, Write as _},
    io::Write as _,
};

use comfy_table::{CellAlignment, ContentArrangement, Table};
use motif_sdk::text::{visible, visible_json, visible_lines};
use serde::Serialize;

/// Error as `--json` prints it.
#[derive(Serialize)]
pub struct ErrorOutput<'a> {
    error: ErrorBody<'a>,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    code: &'a str,
    message: &'a str,
    help: Option<&'a str>,
}

impl<'a> ErrorOutput<'a> {
    pub fn new(code: &'a str, message: &'a str, help: Option<&'a str>) -> Self {
        Self { error: ErrorBody { code, message, help } }
    }
}

/// Prints a value as one line of JSON on stdout.
pub fn print_json(value: &impl Serialize) {
    write_stdout(json_line(value).trim_end());
}

/// Returns a value as one line of JSON, with its newline.
pub fn json_line(value: &impl Serialize) -> String {
    // Fails only for maps with keys other than text, which outputs do not have.
    visible_json(&(serde_json::to_string(value).unwrap_or_default() + "\n"))
}

/// Prints text on stdout, with its line breaks and with hidden characters escaped.
pub fn print_text(text: impl Display) {
    write_stdout(&visible_lines(&text.to_string()));
}

/// Prints text on stderr, as [`print_text`].
pub fn print_status(text: impl Display) {
    eprintln!("{}", visible_lines(&text.to_string()));
}

fn write_stdout(text: &str) {
    let mut stdout = std::io::stdout().lock();
    // A closed pipe is no error: its reader has what it wants.
    let _ = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
}

/// Renders a table with a line below its header. Columns in `numbers` are aligned to the right.
pub fn table<const N: usize>(
    header: [&str; N],
    numbers: &[usize],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table.load_preset("     ──            ").set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header);
    table.add_rows(rows.into_iter().map(|row| row.map(|cell| visible(&cell))));
    for (position, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if numbers.contains(&position) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// Renders names and values, one pair a line, with the values in one column.
pub fn pairs(pairs: &[(&str, &dyn Display)]) -> String {
    let width = pairs.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for (position, (name, value)) in pairs.iter().enumerate() {
        let newline = if position == 0 { "" } else { "\n" };
        // Writing to a `String` succeeds.
        let value = visible(&value.to_string());
        let _ = write!(text, "{newline}{name:width$}  {value}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_align_their_values() {
        assert_eq!(pairs(&[("work", &1), ("creator", &"Ines")]), "work     1\ncreator  Ines");
    }

    #[test]
    fn json_line_has_no_hidden_characters() {
        let hostile = "\u{9b}2J\u{202e}";
        let line = json_line(&hostile);
        assert_eq!(line, "\"\\u009b2J\\u202e\"\n");
        assert_eq!(serde_json::from_str::<String>(&line).unwrap(), hostile);
    }

    #[test]
    fn escape_sequences_are_made_visible() {
        let hostile = "\u{1b}[2J\u{202e}gnp.exe\nstatus  active";
        let escaped = "\\u{1b}[2J\\u{202e}gnp.exe\\u{a}status  active";
        assert_eq!(pairs(&[("title", &hostile)]), format!("title  {escaped}"));
        let shown = table(["title"], &[], [[hostile.to_owned()]]);
        assert!(shown.ends_with(escaped), "{shown}");
    }
}
