use std::fmt;

use serde::Serialize;

use crate::{
    amount::{Money, grouped},
    output::pairs,
};

/// Output of `motif generate`.
#[derive(Serialize)]
pub struct GenerateOutput {
    pub channel: String,
    pub license: u16,
    pub generations: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statement: Option<u64>,
    pub spent: Money,
    /// Total of the newest voucher.
    pub cumulative: Money,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<Vec<String>>,
}

impl fmt::Display for GenerateOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&pairs(&[
            ("channel", &self.channel),
            ("generations", &grouped(u64::from(self.generations))),
            ("spent", &self.spent),
            ("channel total", &self.cumulative),
        ]))?;
        for (position, file) in self.files.iter().flatten().enumerate() {
            let name = if position == 0 { "files" } else { "" };
            write!(formatter, "\n{name:13}  {file}")?;
        }
        Ok(())
    }
}
