//! Rows of the tables: how changes are written, and how rows are read.

mod api_key;
mod change;
mod evidence;
mod expense;
mod generation;
mod hold;
mod sale;
mod statement;

pub use api_key::{read_key, spending_by_key};
pub use change::apply_changes;
pub use expense::expense_sums;
pub use generation::{COLUMNS, read_generation};
pub use hold::read_hold;
pub use sale::read_sale;
pub use statement::{STATEMENT_COLUMNS, SettledColumns, StatementRow, read_statement};
